# frozen_string_literal: true

require_relative "shared"

module SideBySide
  ##
  # Counts the commands that clients send. INFO counts those that a script calls as well; MONITOR tells them apart, and
  # costs nothing beside an idle process.
  class Monitor
    include Bench::Clock

    # What a line says of a command that a script called, as in: 1700000000.123456 [0 lua] "get" "a"
    INNER = /\A\+[\d.]+ \[\d+ (?:lua|script)\]/

    def initialize(redis)
      @redis = redis
    end

    # @return [Hash{String => Integer}] by name
    def commands(seconds)
      connection = @redis.connect
      connection.write("MONITOR\r\n")
      connection.gets
      sent = lines(connection, seconds).grep_v(INNER)
      sent.filter_map { |line| line[/\] "(\w+)"/, 1]&.downcase }.tally
    ensure
      connection&.close
    end

    private

    def lines(connection, seconds)
      deadline = now + seconds
      text = +""
      while (left = deadline - now).positive?
        text << connection.readpartial(65_536) if connection.wait_readable(left)
      end
      text.scrub.lines
    end
  end
end
