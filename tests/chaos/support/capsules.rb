# frozen_string_literal: true

# The application of the chaos tests without Sidekiq, whatever is installed: many capsules, many queues.
require "footplate"
require_relative "ledger"

class MarkingJob
  include Footplate::Job

  def perform(id) = Ledger.mark(id)
end

Footplate.configure do |config|
  config.queues = [*config.queues, *Array.new(Integer(ENV.fetch("QUEUES", "0"))) { |n| "q#{n}" }]
  Integer(ENV.fetch("CAPSULES", "0")).times do |n|
    config.capsule("capsule#{n}") do |capsule|
      capsule.concurrency = 1
      capsule.queues = ["own#{n}"]
    end
  end
end
