# frozen_string_literal: true

require "spec_helper"
require "support/settings_folder"

RSpec.describe Footplate::Server::QueueList do
  include SettingsFolder

  it "reads queues in any of Sidekiq's forms; applications find them as they were written" do
    found = from("queues:\n  - critical\n  - low,2\n  - [mail, 3]\n  - :sym\n  - x,y\n")
    expect(found.queues).to eq([["critical", 0], ["low", 2], ["mail", 3], ["sym", 0], ["x", 0]])
    expect(found.options[:queues]).to eq(["critical", "low,2", ["mail", 3], :sym, "x,y"])
    expect(from("queues: only").queues).to eq([["only", 0]])
  end

  it "reads queues as a hash, also of a capsule" do
    expect(from("queues: {critical: 3, default: 1}").queues).to eq([["critical", 3], ["default", 1]])
    expect(from("capsules:\n  solo: {concurrency: 1, queues: {a: 2}}\n").capsules)
      .to eq("solo" => { concurrency: 1, queues: [["a", 2]] })
  end

  # What each is read as is what Sidekiq reads.
  it "warns of a weight that is none, and says what becomes of it" do
    found = from("queues: ['a,b', [c, -3], [d, 2.5], [e, 1], 'f,0', 'g, 2', '*']")
    expect(found.queues).to eq([["a", 0], ["c", 0], ["d", 2], ["e", 1], ["f", 0], ["g", 2], ["*", 0]])
    expect(found.warnings.map { |line| line.delete_prefix("./config/sidekiq.yml: queues: ") }).to eq(
      ["\"b\" is no weight for the queue a and is ignored; each queue is an entry of its own in the list",
       "-3 is no weight for the queue c and is ignored; each queue is an entry of its own in the list",
       "2.5 is no weight for the queue d and is read as 2",
       "* is the name of one queue here, not of all; each queue is an entry of its own in the list"]
    )
  end

  it "warns of the same on the command line" do
    warnings = settings({ queues: ["critical,default", "low,1"] }).warnings
    expect(warnings).to eq(['-q: "default" is no weight for the queue critical and is ignored; ' \
                            "each queue has a -q of its own"])
  end

  it "warns of the same in a capsule" do
    found = from("capsules:\n  solo: {concurrency: 1, queues: ['a,b']}\n")
    expect(found.warnings).to match([/\Acapsules: solo: queues: "b" is no weight for the queue a and is ignored/])
  end

  it "reads the queues of capsules" do
    found = from("capsules:\n  solo:\n    concurrency: 1\n    queues: [a, 'b,2']\n")
    expect(found.capsules).to eq("solo" => { concurrency: 1, queues: [["a", 0], ["b", 2]] })
  end
end
