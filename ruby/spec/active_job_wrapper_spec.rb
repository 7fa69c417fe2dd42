# frozen_string_literal: true

require "support/active_job_worlds"

RSpec.describe Footplate::ActiveJobWrapper, :active_job, :redis do
  include ActiveJobWorlds

  it "runs jobs by our wrapper" do
    expect(script(<<~RUBY)).to eq([["abc", [1, { "a" => 2 }]]])
      #{ActiveJobWorlds::FOOTPLATE}
      PlainJob.perform_later(1, { "a" => 2 })
      wrapper = Footplate::ActiveJobWrapper.new
      wrapper.jid = "abc"
      wrapper.perform(*JSON.parse(Footplate.redis { |c| c.call("RPOP", "queue:default") })["args"])
      answer($ran)
    RUBY
  end

  it "is not needed on a real Sidekiq server", :sidekiq_gem do
    jids = script(<<~RUBY)
      #{ActiveJobWorlds::FOOTPLATE}
      answer([PlainJob.perform_later(1), PlainJob.perform_later({ a: 2 })].map(&:provider_job_id))
    RUBY
    ran = script("#{ActiveJobWorlds::SIDEKIQ_SERVER}\nrun_waiting_jobs\nanswer($ran)")

    expect(ran).to eq([[jids[0], [1]], [jids[1], [{ "a" => 2 }]]])
  end
end
