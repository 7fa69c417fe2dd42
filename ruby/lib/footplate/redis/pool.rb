# frozen_string_literal: true

require "footplate/redis/driver"

module Footplate
  module Redis
    ##
    # A lazy, fork-safe pool: nothing is loaded or opened before the first `with`, and a forked child starts
    # with a pool of its own. Uses the connection_pool gem where it is there, else SmallPool.
    class Pool
      # Enough for a web server's threads; lazily opened.
      DEFAULT_SIZE = 5
      # Seconds that `with` waits for a free connection.
      DEFAULT_TIMEOUT = 1

      # @param options [Hash] resolved by Options: a connection's, and :size, :pool_timeout (seconds)
      def initialize(options)
        @options = options
        @lock = Mutex.new
      end

      # Yields a connection. Nested calls in one thread get the same one.
      # @raise [Timeout::Error] when none came free in time
      def with(&block)
        pool.with(&block)
      end

      # @raise [ArgumentError] for a number of connections with which nobody would get one
      def size
        size = Integer(@options[:size] || ENV.fetch("RAILS_MAX_THREADS", DEFAULT_SIZE))
        raise ArgumentError, "redis: size must be 1 or more, not #{size}" unless size.positive?

        size
      end

      # Without the options, which have passwords in them: middleware and their error reports see this object.
      def inspect
        "#<#{self.class.name} size=#{size}>"
      end

      private

      def pool
        # In this order: whoever changes both sets the process last but one, and the pool last.
        (@pool if @pid == Process.pid) || own_pool
      end

      # Sockets inherited from the parent are dropped and not closed in due form: the parent still uses them.
      def own_pool
        @lock.synchronize do
          @pool = nil unless @pid == Process.pid
          @pool ||= build.tap { @pid = Process.pid }
        end
      end

      def build
        client = Driver.factory(Options.connection(@options))
        pool_class.new(size: size, timeout: @options[:pool_timeout] || DEFAULT_TIMEOUT) { Connection.wrap(client.call) }
      end

      def pool_class
        require "connection_pool"
        ::ConnectionPool
      rescue LoadError
        require "footplate/redis/small_pool"
        SmallPool
      end
    end
  end
end
