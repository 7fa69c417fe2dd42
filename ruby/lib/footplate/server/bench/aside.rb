# frozen_string_literal: true

module Footplate
  module Server
    ##
    # In a worker of `footplate bench`: has the engine put all its keys behind the benchmark's prefix, as it does for
    # redis-namespace. It then works on a Redis that looks empty, sees no job, schedule, process or counter of the
    # application, and what it leaves is found by its name.
    module BenchAside
      def redis_settings
        super.merge(namespace: ENV.fetch("FOOTPLATE_BENCH_PREFIX"))
      end
    end

    %i[WithoutGem Sidekiq7 Sidekiq6].each do |name|
      Facade.const_get(name).prepend(BenchAside) if Facade.const_defined?(name, false)
    end
  end
end
