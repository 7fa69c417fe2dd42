# frozen_string_literal: true

require "json"
require "footplate/bench"
require "footplate/server/bench/programs"
require "footplate/server/boot/boot_error"

module Footplate
  module Server
    class Bench
      ##
      # One worker process of one engine: Footplate, started in the same way as this process, or the installed Sidekiq.
      class Contender < Footplate::Bench::Child
        TITLES = { footplate: "Footplate", sidekiq: "Sidekiq" }.freeze
        STARTS_WITHIN = 60
        # Seconds from one look for a report to the next.
        LOOK = 0.05
        STOPS_WITHIN = 15

        attr_reader :engine, :threads

        def initialize(engine, ground:, threads:, environment:)
          super(STOPS_WITHIN)
          @engine = engine
          @ground = ground
          @threads = threads
          @environment = environment
        end

        def title
          TITLES.fetch(engine)
        end

        # @param jobs [Integer] how many it will be given
        def start(jobs)
          File.write(File.join(dir, "redis"), JSON.generate(options), perm: 0o600)
          super({ "BENCH_JOBS" => jobs.to_s, "BENCH_THREADS" => threads.to_s,
                  "FOOTPLATE_BENCH_PREFIX" => @ground.prefix }, command)
        end

        # What it wrote under this name, which it does within `seconds` or never.
        # @raise [BootError]
        def report(name, seconds)
          case await(seconds, every: LOOK) { found = written(name) and return found }
          when :late then raise BootError, "#{title} has not come to its #{name} within #{seconds} s: #{last_words}"
          when :ended then raise BootError, "#{title} ended before its #{name}: #{last_words}"
          end
        end

        def discard
          super { @ground.remember(identity) }
        end

        private

        # Of a Sidekiq, which is a member of the application's set of processes soon after it has told us.
        def identity
          written("hello")&.fetch(:identity) if engine == :sidekiq
        end

        def options
          namespace = @ground.namespace
          engine == :sidekiq && namespace ? @ground.options.merge(namespace: namespace) : @ground.options
        end

        def command
          [*Programs.public_send(engine), "-r", File.join(__dir__, "worker.rb"), "-e", @environment,
           "-c", threads.to_s, "-q", @ground.name, "-t", "5"]
        end

        def last_words
          lines = log_lines.reject(&:empty?)
          lines.reverse.find { |line| line.start_with?("footplate: ") }&.delete_prefix("footplate: ") || lines.last ||
            "it said nothing"
        end
      end
    end
  end
end
