# frozen_string_literal: true

require "forwardable"
require "footplate/server/text"
require "footplate/server/text/secrets"

module Footplate
  module Server
    ##
    # Asks Redis, through the application's own client, whether it is there and fit to be worked with. The
    # engine then connects by itself, with the same options.
    class RedisProbe
      extend Forwardable

      # Older servers lack what the engine cannot do without: RPOP with a count.
      MINIMUM = Gem::Version.new("6.2")

      # What the gem answers where INFO was renamed away.
      UNKNOWN_VERSION = "9.9.9"

      # @return [Float, nil] of one INFO on an open connection
      attr_reader :milliseconds

      def_delegator :@facade, :redis_description, :place

      def initialize(facade)
        @facade = facade
        ask
      end

      # @return [String, nil] why this process cannot start
      def problem
        return unusable if @error
        return @facade.pool_problem if version.nil? || Gem::Version.new(version) >= MINIMUM

        "Redis at #{place} has version #{version}, and Footplate needs #{MINIMUM} or newer"
      end

      # @return [Array<String>] what an operator should know
      def warnings
        [eviction, *@facade.redis_warnings].compact
      end

      # @return [String, nil] nil when the server keeps it to itself
      def version
        found = @info["redis_version"].to_s[/\A\d+(\.\d+)*/]
        found unless found == UNKNOWN_VERSION
      end

      # @return [String] such as "Redis 7.0.15" or "Valkey 8.1.1"
      def server
        return "Valkey #{@info["valkey_version"]}" if @info["valkey_version"]

        version ? "Redis #{version}" : "a server that does not tell its version"
      end

      private

      def unusable
        cure = "; start it there, or set REDIS_URL or the application's own setting to where it is" if unreachable?
        "Cannot work with Redis at #{place}: #{Secrets.hide(first_line(@error))} (#{@error.class})#{cure}"
      end

      # Redis::CannotConnectError and RedisClient::CannotConnectError; the latter also stands for a wrong password.
      def unreachable?
        @error.class.name.to_s.end_with?("CannotConnectError") && !@error.message.match?(/WRONGPASS|NOAUTH/)
      end

      def first_line(error)
        Text.readable(error.message).lines.first.to_s.chomp
      end

      def ask
        @info = @facade.redis_info
        from = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @facade.redis_info
        @milliseconds = ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - from) * 1000).round(1)
      rescue StandardError => e
        @info = {}
        # A user of Redis's ACL may lack INFO and be able to do all else.
        @error = e unless e.message.match?(/NOPERM|unknown command/)
      end

      # Redis Enterprise Cloud tells an empty policy.
      def eviction
        policy = @info["maxmemory_policy"].to_s
        return if policy.empty? || policy == "noeviction"

        "Redis may throw jobs away when its memory is full: its maxmemory-policy is #{policy}. Set it to noeviction."
      end
    end
  end
end
