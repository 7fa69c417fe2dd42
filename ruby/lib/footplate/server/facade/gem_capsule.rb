# frozen_string_literal: true

require "footplate/server/boot/numbers"
require "footplate/server/facade"

module Footplate
  module Server
    module Facade
      ##
      # Reads a Sidekiq::Capsule (7.0 and newer).
      module GemCapsule
        module_function

        # @param capsule [Sidekiq::Capsule]
        # @return [Capsule]
        def read(capsule)
          concurrency = Numbers.threads(:concurrency, capsule.concurrency)
          Capsule.new(name: capsule.name.to_s, concurrency:, mode: mode(capsule),
                      queues: queues(capsule), gem_capsule: capsule)
        end

        # 7.0.0 knew no modes: a queue that is there more than once has a weight.
        def mode(capsule)
          return capsule.mode if capsule.respond_to?(:mode)

          capsule.queues.uniq.size == capsule.queues.size ? :strict : :weighted
        end

        # A queue that was given twice is in the gem's list as often as both weights say, while its table of weights
        # has only the last one. The gem works by the list.
        def queues(capsule)
          strict = mode(capsule) == :strict
          weights = capsule.respond_to?(:weights) ? capsule.weights : {}
          capsule.queues.tally.map do |name, share|
            weight = weights[name].to_i
            weight = share if share > [weight, 1].max
            [name.to_s, strict ? 0 : weight]
          end
        end
      end
    end
  end
end
