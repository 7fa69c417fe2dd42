# frozen_string_literal: true

require "footplate/server/payload_json"
require "footplate/server/promoter"

module Footplate
  module Server
    ##
    # The thread that runs client middleware over due jobs. The engine waits for its answers, so whatever ends it
    # while the engine runs, another one takes its place.
    class DueJobs
      # @param engine [Footplate::Native::Engine]
      # @param host [Host::Base]
      def initialize(engine:, host:)
        @engine = engine
        @host = host
        @promoter = Promoter.new(host, PayloadJson)
      end

      # @return [Thread]
      def start
        Thread.new { run }
      end

      private

      def run
        Thread.current.name = "footplate.scheduler"
        Thread.current.report_on_exception = false
        @engine.each_due { |payload| @promoter.call(payload) }
      rescue Exception => e # rubocop:disable Lint/RescueException
        @host.handle_exception(e, { context: "Client middleware failed on due jobs; they stay scheduled" })
      ensure
        start unless @engine.stopping?
      end
    end
  end
end
