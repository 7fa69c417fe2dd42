# frozen_string_literal: true

require_relative "support/conformance"

# What a job leaves in its thread: gone after a failure, since Sidekiq goes on in a new one; there after a success.
["the native path", "the path through Ruby"].each do |path|
  Conformance.describe "the state of a job's thread on #{path}" do
    app <<~RUBY
      require "active_support/all"
      class Tenant < ActiveSupport::CurrentAttributes
        attribute :tenant
      end
      MUTEX = Mutex.new
      STATE = {
        "fiber-local" => [-> { Thread.current[:tenant] = "a" }, -> { Thread.current[:tenant] }],
        "thread variable" => [-> { Thread.current.thread_variable_set(:shard, "a") },
                              -> { Thread.current.thread_variable_get(:shard) }],
        "instance variable" => [-> { Thread.current.instance_variable_set(:@a, "a") },
                                -> { Thread.current.instance_variable_get(:@a) }],
        "instance variable of the fiber" => [-> { Fiber.current.instance_variable_set(:@a, "a") },
                                             -> { Fiber.current.instance_variable_get(:@a) }],
        "Sidekiq's own variable" => [-> { Thread.current["sidekiq_tid"] = "a" },
                                     -> { "a" if Thread.current["sidekiq_tid"] == "a" }],
        "name" => [-> { Thread.current.name = "a" }, -> { "a" if Thread.current.name == "a" }],
        "priority" => [-> { Thread.current.priority = 2 }, -> { "a" if Thread.current.priority == 2 }],
        "report" => [-> { Thread.current.report_on_exception = true },
                     -> { "a" if Thread.current.report_on_exception }],
        "locale" => [-> { I18n.locale = :xx }, -> { "a" if I18n.locale == :xx }],
        "time zone" => [-> { Time.zone = "Hawaii" }, -> { Time.zone&.name }],
        "attributes" => [-> { Tenant.tenant = "a" }, -> { Tenant.tenant }],
        "mutex" => [-> { MUTEX.lock }, -> { "a" if MUTEX.locked? }]
      }
      I18n.enforce_available_locales = false
      if Fiber.respond_to?(:[])
        STATE["storage"] = [-> { Fiber[:a] = "a" }, -> { Fiber[:a] }]
      end
      class Leaves
        include JobModule
        def perform(state, fail)
          STATE.fetch(state).first.call
          raise ArgumentError, state if fail
        end
      end
      class Looks
        include JobModule
        def perform(state, when_) = STATE.fetch(state).last.call && effect("seen", when_, state)
      end
      class Names
        include JobModule
        def perform = effect("names", STATE.keys)
      end
      class Fails
        include JobModule
        def perform = effect("thread", Thread.current.object_id) && raise(ArgumentError, "and leaves nothing")
      end
      # From here on this thread can start no other.
      class Freezes
        include JobModule
        def perform = ThreadGroup.new.tap { |it| it.add(Thread.current) }.freeze && raise(ArgumentError, "frozen")
      end
      # Longer than two new threads lie apart (src/vm/renewal.rs).
      class Waits
        include JobModule
        def perform = sleep(0.06)
      end
      Sidekiq.configure_server do |config|
        settings = config.respond_to?(:[]=) ? config : Sidekiq.options
        settings[:reloader] = ->(&block) { block.call } if #{path == "the path through Ruby"}
      end
    RUBY

    scenario do
      push("Names")
      start("-c", "1")
      @states = await_effects(1, "names").flatten
      # Sidekiq's threads inherit a fiber's storage; a mutex cannot be seen.
      20.times { (@states - %w[mutex]).each { |it| push("Leaves", it, true) && push("Looks", it, "burst") } }
      @states.each { |it| push("Waits") && push("Leaves", it, true) && push("Looks", it, "failure") }
      drained
      (@states - %w[mutex]).each { |it| push("Leaves", it, false) && push("Looks", it, "success") }
      drained
      200.times { push("Fails") }
      drained
      # After the first of them the thread goes that was kept after the failures.
      2.times { push("Waits") }
      push("Freezes") && push("Names")
      drained
      server.stop
    end

    it "does not keep the next job from being run where no new thread can be had" do
      expect(effects("names").size).to eq(2)
      expect(server.output).to include("No new thread could be started for a worker")
    end

    it "does not cost a thread for each of many failures that left nothing" do
      expect(effects("thread").uniq.size).to be_between(2, 150)
    end

    it "is gone after a failure" do
      expect(effects("seen").select { |it, _| %w[failure burst].include?(it) }).to eq([])
    end

    it "stays after a success, as with Sidekiq" do
      expect(effects("seen").filter_map { |it, state| state if it == "success" }).to match_array(@states - %w[mutex])
    end
  end
end
