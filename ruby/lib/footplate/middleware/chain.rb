# frozen_string_literal: true

require "forwardable"

module Footplate
  module Middleware
    ##
    # An ordered list of middleware, with the interface of Sidekiq's chain. Clients call each with
    # `(job_class_or_name, payload, queue, redis_pool)`, servers with `(job, payload, queue)`; each yields to
    # the next. A client middleware that does not return what it yielded to stops the push.
    #
    # Every invocation makes new instances, so that no state is shared between jobs. An instance that
    # responds to `config=` is given the configuration the chain belongs to.
    class Chain
      extend Forwardable
      include Enumerable

      # One middleware class and the arguments for its constructor.
      Entry = Struct.new(:klass, :args) do
        def make_new(config)
          klass.new(*args).tap { |instance| instance.config = config if config && instance.respond_to?(:config=) }
        end
      end

      # @return [Array<Entry>] first to run first
      attr_reader :entries

      def_delegators :@entries, :each, :empty?, :clear

      # @param config [Footplate::Config, Footplate::Config::Capsule, nil] handed to middleware
      def initialize(config = nil, entries = [])
        @config = config
        @entries = entries
        yield self if block_given?
      end

      def initialize_copy(other)
        super
        @entries = other.entries.dup
      end

      # A copy with the same middleware that hands `config` to it.
      def copy_for(config)
        Chain.new(config, @entries.dup)
      end

      # Appends; a class that was already there moves to the end.
      def add(klass, *args)
        remove(klass)
        @entries << Entry.new(klass, args)
      end

      # Adds in front; a class that was already there moves to the front.
      def prepend(klass, *args)
        remove(klass)
        @entries.unshift(Entry.new(klass, args))
      end

      # Moves or adds `klass` before `other`; to the front when `other` is absent.
      def insert_before(other, klass, *args)
        entry = take(klass, args)
        @entries.insert(index_of(other) || 0, entry)
      end

      # Moves or adds `klass` behind `other`; to the end when `other` is absent.
      def insert_after(other, klass, *args)
        entry = take(klass, args)
        @entries.insert((index_of(other) || (@entries.size - 1)) + 1, entry)
      end

      def remove(klass)
        @entries.delete_if { |entry| entry.klass == klass }
      end

      def exists?(klass)
        !index_of(klass).nil?
      end
      alias include? exists?

      # New instances, in order.
      def retrieve
        @entries.map { |entry| entry.make_new(@config) }
      end

      # Runs the block inside all middleware and returns what the outermost returns.
      def invoke(*args, &block)
        return yield if empty?

        traverse(retrieve, 0, args, &block)
      end

      private

      def traverse(instances, index, args, &block)
        return yield if index >= instances.size

        instances[index].call(*args) { traverse(instances, index + 1, args, &block) }
      end

      # An entry that is moved keeps the arguments it was added with, as in Sidekiq.
      def take(klass, args)
        index = index_of(klass)
        index ? @entries.delete_at(index) : Entry.new(klass, args)
      end

      def index_of(klass)
        @entries.index { |entry| entry.klass == klass }
      end
    end
  end
end
