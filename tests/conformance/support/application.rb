# frozen_string_literal: true

module Conformance
  ##
  # What every application of these tests begins with.
  module Application
    PRELUDE = <<~'RUBY'
      require "json"
      # One write, so that threads and processes do not mix their lines.
      def effect(*what)
        File.open(ENV.fetch("EFFECTS"), "a") { |file| file.syswrite("#{JSON.generate(what)}\n") }
      end

      # Until the test lets go.
      def hold(name)
        effect("holds", name)
        sleep 0.005 until File.exist?(File.join(ENV.fetch("HOLDS"), name))
        true
      end

      if defined?(Sidekiq::Job)
        JobModule = Sidekiq::Job

        # What its children are asked when they fail is where they differ.
        class Failing
          include JobModule
          def perform(*args) = raise(ArgumentError, "boom #{args.first}")
        end
      end
    RUBY

    # A Gemfile without the sidekiq gem, for applications that have none.
    def self.gemfile_without_sidekiq(*gems)
      gems.unshift(%w[redis-client redis].find { |name| InstalledGems.has?(name) })
      gems.map { |name| "gem #{name.inspect}" }.join("\n")
    end
  end
end
