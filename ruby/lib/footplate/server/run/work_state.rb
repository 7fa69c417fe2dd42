# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Makes Sidekiq::Processor::WORK_STATE, which gems ask how busy the process is (yabeda-sidekiq: its size), answer
    # from the engine's own table. So the answer is right, and no job has to write there.
    module WorkState
      # The second is Sidekiq 6's name.
      NAMES = %i[WORK_STATE WORKER_STATE].freeze

      module_function

      # @param engine [Footplate::Native::Engine]
      def attach(engine)
        return unless defined?(::Sidekiq::Processor)

        NAMES.select { |name| ::Sidekiq::Processor.const_defined?(name) }.each do |name|
          state = ::Sidekiq::Processor.const_get(name)
          state.define_singleton_method(:size) { engine.busy }
          state.define_singleton_method(:dup) do
            engine.running.to_h { |tid, queue, payload, since| [tid, { queue:, payload:, run_at: since }] }
          end
        end
      end
    end
  end
end
