# frozen_string_literal: true

module Footplate
  module Job
    ##
    # A job class's options and blocks, inherited by its subclasses. The readers have Sidekiq's names, because
    # whoever handles a failure asks every class by those: `get_sidekiq_options`, `sidekiq_retry_in_block`,
    # `sidekiq_retries_exhausted_block`. It may know no more than the class it is in.
    module Options
      BLOCKS = %i[sidekiq_retry_in_block sidekiq_retries_exhausted_block].freeze
      private_constant :BLOCKS

      def self.included(base)
        base.extend(ClassMethods)
      end

      # Gives Active Job classes options and blocks. Where the sidekiq gem has done so already, only
      # Footplate's names for them are added.
      def self.extend_active_job(base)
        base.respond_to?(:sidekiq_options) ? base.extend(Names) : base.include(self)
      end

      # Sidekiq's failure handling asks the instance.
      BLOCKS.each { |name| define_method(name) { self.class.public_send(name) } }

      # Footplate's names, over whatever keeps the values.
      module Names
        # Sets options for all jobs of this class: queue, retry (true, false, number), retry_for (seconds), dead,
        # backtrace, tags, pool, and whatever belongs in the payload. Adds to what was set or inherited.
        def footplate_options(options = {})
          sidekiq_options(options)
        end

        # @return [Hash{String => Object}] set, inherited or default
        def footplate_options_hash
          get_sidekiq_options
        end

        # Decides the delay before a retry.
        # @yieldparam count [Integer] retries so far
        # @yieldparam exception [Exception]
        # @yieldparam job [Hash]
        # @yieldreturn [Integer, :discard, :kill, nil] seconds; nil for the default delay
        def retry_in(&block)
          sidekiq_retry_in(&block)
        end

        # Called when a job has failed for the last time.
        # @yieldparam job [Hash]
        # @yieldparam exception [Exception]
        # @yieldreturn [:discard, Object] :discard keeps it out of the dead set
        def retries_exhausted(&block)
          sidekiq_retries_exhausted(&block)
        end
      end

      # Sidekiq's names, which are also the storage.
      module ClassMethods
        include Names

        attr_writer :sidekiq_options_hash, :sidekiq_retry_in_block, :sidekiq_retries_exhausted_block

        # See Names#footplate_options. Keys may be symbols, also those of a hash one level down.
        def sidekiq_options(options = {})
          options = options.to_h do |key, value|
            [key.to_s, value.is_a?(Hash) ? value.transform_keys(&:to_s) : value]
          end
          self.sidekiq_options_hash = get_sidekiq_options.merge(options)
        end

        def get_sidekiq_options # rubocop:disable Naming/AccessorMethodName -- the name is Sidekiq's
          sidekiq_options_hash || Footplate.default_job_options
        end

        # @return [Hash{String => Object}, nil] set or inherited
        def sidekiq_options_hash
          @sidekiq_options_hash.nil? ? inherited_value(:sidekiq_options_hash) : @sidekiq_options_hash
        end

        # @return [Proc, nil]
        def sidekiq_retry_in_block
          @sidekiq_retry_in_block.nil? ? inherited_value(:sidekiq_retry_in_block) : @sidekiq_retry_in_block
        end

        # @return [Proc, nil]
        def sidekiq_retries_exhausted_block
          block = @sidekiq_retries_exhausted_block
          block.nil? ? inherited_value(:sidekiq_retries_exhausted_block) : block
        end

        def sidekiq_retry_in(&block)
          self.sidekiq_retry_in_block = block
        end

        def sidekiq_retries_exhausted(&block)
          self.sidekiq_retries_exhausted_block = block
        end

        private

        def inherited_value(name)
          superclass.public_send(name) if superclass.respond_to?(name)
        end
      end
    end
  end
end
