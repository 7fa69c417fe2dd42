# frozen_string_literal: true

RSpec.describe Footplate::Config::Events do
  subject(:config) { Footplate.config }

  it "fire once, forwards at the start and backwards at the end" do
    ran = []
    %i[startup quiet beat].each { |event| 2.times { |i| config.on(event) { ran << [event, i] } } }
    2.times { %i[startup beat quiet].each { |event| config.fire_event(event) } }

    expect(ran).to eq([[:startup, 0], [:startup, 1], [:beat, 0], [:beat, 1], [:quiet, 1], [:quiet, 0],
                       [:beat, 0], [:beat, 1]])
  end

  it "stop the boot when :startup raises; otherwise the error handlers hear of it and the rest runs" do
    errors = []
    ran = false
    config.error_handlers << ->(error, context, _) { errors << [error.message, context[:event]] }
    config.on(:shutdown) { ran = true }
    %i[startup shutdown].each { |event| config.on(event) { raise "bad #{event}" } }

    expect { config.fire_event(:startup) }.to raise_error("bad startup")
    config.fire_event(:shutdown)
    expect([errors, ran]).to eq([[["bad shutdown", :shutdown]], true])
  end

  it "have known names" do
    expect { config.on(:lunch) { nil } }.to raise_error(ArgumentError, /\AInvalid event name: lunch; there are start/)
    expect { config.on("quiet") { nil } }.to raise_error(ArgumentError, /Symbols only/)
    expect { config.fire_event(:lunch) }.to raise_error(ArgumentError, /Invalid event name/)
  end
end
