# frozen_string_literal: true

require "securerandom"
require "forwardable"
require "footplate/server/bench/client_options"
require "footplate/server/bench/line"

module Footplate
  module Server
    class Bench
      ##
      # The benchmark's place in the application's Redis: keys that begin with a name of its own, `footplate-bench-…`,
      # and the queue of that name, which a Sidekiq needs to stand where queues stand. Everything is made here and
      # removed here.
      class Ground
        extend Forwardable

        # Counters that Sidekiq 6 touches with every heartbeat, and so creates, whether or not it has counted anything.
        COUNTERS = %w[stat:processed stat:failed].freeze
        REMOVE_ZERO = "if redis.call('GET', KEYS[1]) == '0' then return redis.call('UNLINK', KEYS[1]) end return 0"

        # @return [String] of the queue, and what keys begin with
        attr_reader :name
        # @return [Hash{Symbol => Object}] as the gems take them
        attr_reader :options
        # @return [String] for people
        attr_reader :place

        # @param settings [Hash{Symbol => Object}] of the engine
        def initialize(settings, place)
          @name = "footplate-bench-#{SecureRandom.hex(6)}"
          @namespace = settings[:namespace]
          @options = ClientOptions.of(settings)
          @place = place
          @line = Line.new(@options, place)
          @identities = []
        end

        def_delegators :@line, :call, :cpu

        # @return [String, nil] the application's redis-namespace
        attr_reader :namespace

        # @return [String] what stands before every key of an engine that can do with a prefix
        def prefix
          key(name)
        end

        # @param engine [Symbol]
        # @return [String] the queue as that engine knows it
        def queue(engine)
          engine == :footplate ? "#{prefix}:queue:#{name}" : key("queue:#{name}")
        end

        # Makes sure, before anything is written, that all of it can be done and undone here.
        # @param bytes [Integer] that the jobs need
        # @raise [BootError]
        def prepare(bytes)
          refuse("there is a key #{queue(:sidekiq)} already") if call("EXISTS", queue(:sidekiq)).positive?
          room(bytes)
          # What clearing up takes, before there is anything to clear up.
          sweep
          @absent = counters.select { |name| call("EXISTS", name).zero? }
          @prepared = true
          call("LPUSH", aside, "probe")
          call("RENAME", aside, "#{prefix}:probe")
          sweep
        end

        # Fills the queue where no worker looks.
        def put_aside(payloads)
          payloads.each_slice(1_000) { |slice| call("LPUSH", aside, *slice) }
        end

        # All at once.
        def let_in(engine)
          call("RENAME", aside, queue(engine))
        end

        def push(engine, *payloads)
          call("LPUSH", queue(engine), *payloads)
        end

        # A worker of a Sidekiq had this identity.
        def remember(identity)
          @identities << identity if identity
        end

        # Removes what a run may have left. No worker runs any more.
        def sweep
          @line.remove(queue(:sidekiq))
          @line.each_key("#{prefix}:") { |keys| @line.remove(*keys) }
        end

        # Removes everything. Twice does no harm.
        # @raise [BootError] that says what is left
        def leave
          return unless @prepared

          sweep
          forget_processes
          (@absent & counters).each { |counter| call("EVAL", REMOVE_ZERO, 1, counter) }
          @prepared = false
        rescue BootError => e
          raise BootError, "#{e.message}. What is left there begins with #{prefix} or is called #{queue(:sidekiq)}; " \
                           "remove it"
        end

        private

        def key(name)
          namespace ? "#{namespace}:#{name}" : name
        end

        def aside
          "#{prefix}:aside"
        end

        # Today's and, around midnight, tomorrow's and yesterday's.
        def counters
          days = [-86_400, 0, 86_400].map { |ahead| (Time.now.utc + ahead).strftime("%Y-%m-%d") }
          COUNTERS.flat_map { |name| [key(name), *days.map { |day| key("#{name}:#{day}") }] }
        end

        def room(bytes)
          most = @line.info("maxmemory").to_i
          used = @line.info("used_memory")
          refuse("it does not tell how much memory it uses, so nobody knows whether it has room") unless used
          used = used.to_i
          return if most.zero? || used + (2 * bytes) < most

          refuse("it uses #{used / 1_000_000} of #{most / 1_000_000} MB, and the jobs need about " \
                 "#{(bytes / 1e6).ceil} MB; try fewer (--jobs)")
        end

        def refuse(reason)
          raise BootError, "Will not measure on Redis at #{place}: #{reason}"
        end

        # What a Sidekiq that was killed did not take back.
        def forget_processes
          @identities.each do |identity|
            call("SREM", key("processes"), identity)
            @line.remove(*["", ":work", ":workers", "-signals"].map { |suffix| key("#{identity}#{suffix}") })
          end
        end
      end
    end
  end
end
