# frozen_string_literal: true

require "logger"
require "stringio"

RSpec.describe Footplate::Config::Handlers do
  subject(:config) { Footplate.config }

  it "get exception, context and configuration; old ones get two arguments" do
    seen = []
    config.error_handlers << ->(*args) { seen << args }
    config.error_handlers << ->(error, context) { seen << [error, context] }
    config.error_handlers << Class.new { define_method(:call) { |error, context| seen << [error, context] } }.new
    error = IOError.new("x")
    config.handle_exception(error, { job: 1 })

    expect(seen).to eq([[error, { job: 1 }, config], *([[error, { job: 1 }]] * 2)])
  end

  it "are all called, even when one of them fails" do
    log = StringIO.new
    config.logger = Logger.new(log)
    called = []
    config.error_handlers << ->(*) { raise NotImplementedError, "broken handler" }
    config.error_handlers << ->(error, *) { called << error.message }
    config.handle_exception(IOError.new("x"))

    expect(called).to eq(["x"])
    expect(log.string).to include("broken handler")
  end
end
