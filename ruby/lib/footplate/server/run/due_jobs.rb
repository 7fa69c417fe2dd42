# frozen_string_literal: true

require "footplate/server/job/payload_json"
require "footplate/server/job/promoter"
require "footplate/server/run/lasting_thread"

module Footplate
  module Server
    ##
    # The thread that runs client middleware over due jobs. The engine waits for its answers.
    class DueJobs
      # @param engine [Footplate::Native::Engine]
      # @param facade [Facade::Base]
      def initialize(engine:, facade:)
        @engine = engine
        @facade = facade
        @promoter = Promoter.new(facade, PayloadJson)
      end

      # @return [LastingThread]
      def start
        LastingThread.new("footplate.scheduler", @facade) do
          @engine.each_due { |payload| @promoter.call(payload) }
        end.start
      end
    end
  end
end
