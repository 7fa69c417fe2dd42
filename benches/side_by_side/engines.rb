# frozen_string_literal: true

require "etc"

module SideBySide
  ##
  # How to start what is compared. Footplate has two front doors: its gem's executable, and the executable that embeds
  # Ruby.
  module Engines
    ROOT = File.expand_path("../..", __dir__)
    EMBEDDED = ENV.fetch("FOOTPLATE_EMBEDDED", File.join(ROOT, "target/release/footplate"))
    # Of them, and of what they are compared with besides.
    TITLES = { gem: "Footplate", embedded: "Footplate (embedded)", sidekiq: "Sidekiq", bare: "bare loop",
               undelayed: "Footplate, 0 ms added" }.freeze
    COMMANDS = { gem: [File.join(ROOT, "bin/footplate")], embedded: [EMBEDDED], sidekiq: ["sidekiq"] }.freeze
    # What this machine says about environments, threads and Ruby does not count.
    CLEAN = %w[APP_ENV RAILS_ENV RACK_ENV RAILS_MAX_THREADS REDIS_PROVIDER DYNO NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID
               DEBUG_INVOCATION RUBYOPT RUBY_DISABLE_WARMUP MALLOC_ARENA_MAX].to_h { [_1, nil] }.freeze

    # @return [Array<Symbol>] the front doors that have been built, the first of which is compared with Sidekiq
    def self.doors
      doors = []
      doors << :gem if Dir[File.join(ROOT, "ruby/lib/footplate/native.*")].any?
      doors << :embedded if File.executable?(EMBEDDED)
      raise Error, "Footplate is not built: run bin/setup" if doors.empty?

      doors
    end

    # Before the first run, and not in the middle of the night.
    # @raise [Error] if something that the loads need is not there
    def self.check(loads)
      missing = Gem::Specification.find_all_by_name("sidekiq").empty? || !on_path?("sidekiq")
      raise Error, "Sidekiq, with which Footplate is compared, is not installed: run bin/setup" if missing
      return if Gem::Specification.find_all_by_name("activejob").any?
      return if loads.none? { |load| load.kind.start_with?("activejob") }

      raise Error, "Active Job is not installed: run bin/setup, or name loads with --only"
    end

    def self.on_path?(name)
      ENV.fetch("PATH", "").split(File::PATH_SEPARATOR).any? { |dir| File.executable?(File.join(dir, name)) }
    end
    private_class_method :on_path?

    def self.env
      CLEAN.merge("FOOTPLATE_LIB" => File.join(ROOT, "ruby/lib"), "LC_ALL" => "C.UTF-8")
    end

    def self.command(engine, load)
      weight = ",1" if load.shape == :mixed
      queues = load.all_queue_names.flat_map { |name| ["-q", "#{name}#{weight}"] }
      [*COMMANDS.fetch(engine), "-e", "production", "-r", File.join(__dir__, "app.rb"),
       "-c", load.all_threads.to_s, *queues]
    end
  end
end
