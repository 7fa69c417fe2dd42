# frozen_string_literal: true

require_relative "support/conformance"

# Every way to write one, each for a job of its own; the gem says with what it is made and who shares it.
JOB_LOGGERS = <<~'RUBY'
  class Whole
    def initialize(*) = nil
    def prepare(_payload) = yield
    def call(payload, _queue) = effect("whole", payload["jid"]) && yield
  end
  LOGGERS = {
    "subclass" => Class.new(Sidekiq::JobLogger),
    "super" => Class.new(Sidekiq::JobLogger) { def initialize(*) = [super, effect("super", @logger.class.name)] },
    "optional" => Class.new(Whole) { def initialize(given = nil) = effect("optional", given.class.name) },
    "spread" => Class.new(Whole) { def initialize(*given) = effect("spread", given.map { |it| it.class.name }) },
    "keyword" => Class.new(Whole) { def initialize(*, **keywords) = effect("keyword", keywords) },
    "plain" => Class.new(Whole) { (Sidekiq::VERSION < "7") ? def initialize = nil : def initialize(_config) = nil },
    "override" => Class.new(Sidekiq::JobLogger) { def call(payload, queue) = super { effect("override", queue) && yield } },
    "unyielding" => Class.new(Whole) { def call(*) = effect("unyielding") },
    "failing" => Class.new(Whole) { def call(*) = raise("the job logger fails") }
  }
  class All
    def initialize(*given) = @all = LOGGERS.transform_values { |logger| logger.new(*given) }
    def prepare(payload, &job) = chosen(payload).prepare(@current = payload, &job)
    def call(payload, queue, &job)
      chosen(payload).call(payload, queue, &job)
    ensure
      effect("another thread's") unless @current["jid"] == payload["jid"]
    end
    def chosen(payload) = @all.fetch(payload["jid"].delete_suffix("2"))
  end
  class Both
    include JobModule
    def perform = logger.info("inside")
  end
  # Two at a time.
  class Meets
    include JobModule
    ARRIVED = Queue.new
    def perform
      ARRIVED << jid
      sleep 0.005 until ARRIVED.size > 1
    end
  end
  Sidekiq.configure_server { |config| (Sidekiq::VERSION < "7" ? config.options : config)[:job_logger] = All }
RUBY

Conformance.describe "job loggers of the application's own" do
  app JOB_LOGGERS

  scenario do
    names = JOB_LOGGERS.scan(/^  "(\w+)" =>/).flatten
    @runs = [nil, [RbConfig.ruby, Gem.bin_path("sidekiq", "sidekiq")]].map do |command|
      FileUtils.rm_f(path("effects"))
      redis.call("FLUSHALL")
      %w[plain plain2].each { |jid| push("Meets", jid: jid) }
      (names - ["plain"]).each { |name| push("Both", jid: name) }
      running = spawn("-c", "2", "-t", "2", "-e", "production", command: command)
      eventually("all jobs to be done") { redis.call("LLEN", "queue:default").zero? && entries("retry").any? }
      running.stop
      [effects.sort_by(&:to_s).uniq, lines_of(running), entries("retry").map { |name, job| [name, job["jid"]] }]
    end
  end

  def lines_of(running)
    lines = running.lines.grep(/jid=(subclass|super|override)/).grep(/start|inside|done|fail/)
    lines.map { |line| line.gsub(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "").gsub(/(pid|tid|elapsed)=[\w.]+/, "") }.sort
  end

  it "are made and called as the gem does it" do
    expect(@runs[0]).to eq(@runs[1])
    expect(@runs[0][0].map(&:first)).to include(*%w[super optional spread keyword override unyielding whole])
    expect(@runs[0][0].map(&:first)).not_to include("another thread's")
    expect(@runs[0][1].size).to eq(9)
    expect(@runs[0][2]).to eq([%w[Both failing]])
  end
end
