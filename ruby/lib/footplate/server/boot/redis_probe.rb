# frozen_string_literal: true

require "forwardable"
require "footplate/server/text"
require "footplate/server/text/secrets"

module Footplate
  module Server
    ##
    # Checks, through the application's own client, whether Redis is there and fit for use. The engine then makes its
    # own connections with the same options.
    class RedisProbe
      extend Forwardable

      # Older servers lack RPOP with a count, which the engine needs.
      MINIMUM = Gem::Version.new("6.2")

      # What the gem answers if the server has no INFO.
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

      # @return [String, nil] nil if the server does not tell
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

      # Redis::CannotConnectError or RedisClient::CannotConnectError, which is also raised for a wrong password.
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
        # Redis's ACL may forbid INFO to a user who may do everything else.
        @error = e unless e.message.match?(/NOPERM|unknown command/)
      end

      # Redis Enterprise Cloud reports an empty policy.
      def eviction
        policy = @info["maxmemory_policy"].to_s
        return if policy.empty? || policy == "noeviction"

        "Redis may throw jobs away when its memory is full: its maxmemory-policy is #{policy}. Set it to noeviction."
      end
    end
  end
end
