# frozen_string_literal: true

require "shellwords"
require_relative "child"

module Demo
  # bin/demo, from the point where there is a Ruby and a Gemfile. Arguments were checked by bin/demo.
  class CommandLine
    ROOT = File.expand_path("../../..", __dir__)

    # The server under demonstration. Another one (FOOTPLATE_DEMO_SERVER=sidekiq) is for comparing.
    def self.server
      ENV.fetch("FOOTPLATE_DEMO_SERVER", "footplate").shellsplit
    end

    def self.call(argv)
      $stdout.sync = true
      trap("TERM") { raise Interrupt }
      trap("HUP") { raise Interrupt }
      require "bundler/setup" # not by `bundle exec`, which answers Ctrl-C with a backtrace
      require_relative "run"
      Run.new(target: File.join(ROOT, "target/demo"), server:, keep: argv.include?("--keep")).call
    rescue Interrupt
      warn "Interrupted; everything that was started is stopped."
      130
    rescue Child::Died => e
      warn "", e.message
      1
    rescue Errno::EPIPE
      141
    end
  end
end

exit Demo::CommandLine.call(ARGV) if $PROGRAM_NAME == __FILE__
