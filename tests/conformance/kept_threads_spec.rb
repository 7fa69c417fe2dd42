# frozen_string_literal: true

require_relative "support/conformance"

# What failed jobs hold that nobody can see, in threads that nothing more happens in: given free all the same, as
# Sidekiq's threads end after a failure.
Conformance.describe "locks of jobs that failed in a burst" do
  app <<~RUBY, files: { "config/footplate.yml" => "beat_seconds: 0.5\n" }
    LOCKS = Array.new(20) { Mutex.new }
    LOCKED = Queue.new
    class Locks
      include JobModule
      def perform(number) = LOCKS.fetch(number).lock && LOCKED.push(number) && raise(ArgumentError, "and goes on holding it")
    end
    Sidekiq.configure_server do |config|
      config.on(:startup) do
        Thread.new do
          LOCKS.size.times { LOCKED.pop }
          sleep 0.005 while LOCKS.any?(&:locked?)
          effect("free")
        end
      end
    end
  RUBY

  scenario do
    20.times { |number| push("Locks", number, retry: false) }
    start("-c", "2")
    drained
  end

  it "are free soon, though no other job comes" do
    expect(await_effects(1, "free").size).to eq(1)
  end
end
