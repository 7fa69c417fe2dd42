# frozen_string_literal: true

require "rbconfig"

module Footplate
  module Server
    class Bench
      ##
      # How the engines are started: Footplate by the executable that runs now, Sidekiq by its gem's executable.
      module Programs
        LIB = File.expand_path("../../..", __dir__)
        GEM_DOOR = [RbConfig.ruby, "-I#{LIB}", File.join(LIB, "../exe/footplate")].freeze

        module_function

        # @return [Array<String>] the program that runs us, unless that is Ruby itself
        def footplate
          program = File.readlink("/proc/self/exe")
          File.realpath(program) == File.realpath(RbConfig.ruby) ? GEM_DOOR : [program]
        rescue SystemCallError
          # No /proc, or a program that was replaced since it was started.
          GEM_DOOR
        end

        def sidekiq
          [RbConfig.ruby, Gem.bin_path("sidekiq", "sidekiq")]
        rescue Gem::Exception
          ["sidekiq"]
        end
      end
    end
  end
end
