# frozen_string_literal: true

require "rbconfig"

module Conformance
  ##
  # One of the two ways to start the same engine: the gem's executable, run by Ruby, and the executable that
  # embeds Ruby.
  class Door
    ROOT = File.expand_path("../../..", __dir__)
    LIB = File.join(ROOT, "ruby/lib")

    attr_reader :name, :command

    # Both, or those that bin/test names.
    def self.all
      @all ||= [
        new("the gem", [RbConfig.ruby, "-I#{LIB}", File.join(ROOT, "ruby/exe/footplate")], gem_missing),
        new("the executable", [File.join(ROOT, "target/release/footplate")], executable_missing)
      ].select { |door| door.name.end_with?(ENV.fetch("FOOTPLATE_TEST_DOOR", "")) }
    end

    def self.gem_missing
      "the extension is not built: bin/setup" if Dir[File.join(LIB, "footplate/native.{so,bundle}")].empty?
    end

    def self.executable_missing
      return "this Ruby has no shared libruby to embed" unless RbConfig::CONFIG["ENABLE_SHARED"] == "yes"

      "target/release/footplate is not built: bin/setup" unless File.executable?(File.join(ROOT,
                                                                                           "target/release/footplate"))
    end

    def initialize(name, command, missing)
      @name = name
      @command = command
      @missing = missing
    end

    # @return [String, nil] why it cannot be tried here
    attr_reader :missing

    def executable?
      name == "the executable"
    end

    # @return [Hash{String => String}]
    def env
      executable? ? { "FOOTPLATE_LIB" => LIB } : {}
    end
  end
end
