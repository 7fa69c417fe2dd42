# frozen_string_literal: true

require_relative "support/conformance"

# Where gems look how busy the process is.
Conformance.describe "Sidekiq::Processor's state of work", needs: "sidekiq" do
  app <<~'RUBY'
    class Hold
      include JobModule
      def perform(name) = hold(name)
    end
    class Look
      include JobModule
      def perform
        name = %i[WORK_STATE WORKER_STATE].find { |it| Sidekiq::Processor.const_defined?(it) }
        state = Sidekiq::Processor.const_get(name)
        works = state.dup.to_h { |tid, work| [tid, work.merge(class: JSON.parse(work[:payload])["class"])] }
        effect("look", state.size, works, Thread.current["sidekiq_tid"])
      end
    end
  RUBY

  it "tells what runs now" do
    push("Hold", "it", queue: "other")
    start("-c", "2", "-q", "other", "-q", "default")
    await_effects(1, "holds")
    push("Look")
    size, works, tid = await_effects(1, "look").first
    release("it")
    expect(server.stop).to eq(0)
    expect(size).to eq(2)
    expect(works.delete(tid)).to include("class" => "Look", "queue" => "default", "run_at" => Integer)
    expect(works.values).to contain_exactly(a_hash_including("class" => "Hold", "queue" => "other"))
  end
end
