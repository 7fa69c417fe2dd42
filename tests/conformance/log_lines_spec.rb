# frozen_string_literal: true

require_relative "support/conformance"

# The default logger's lines, against those that the real gem prints for the same jobs.
LOGGED_JOBS = <<~'RUBY'
  class Fine
    include JobModule
    def perform(*) = logger.info("inside")
  end
  class Wrong
    include JobModule
    def perform(*) = raise("in vain")
  end
  class Wrapper
    include JobModule
    def perform(*); end
  end
RUBY

FORMATTERS = {
  "as it is" => ["", {}],
  "as JSON" => ["JSON", {}],
  "without timestamps, on a dynamo" => ["", { "DYNO" => "worker.1" }],
  "plain" => ["Plain", {}]
}.freeze

FORMATTERS.each do |title, (formatter, env)|
  since = "8.0.7" if formatter == "Plain"
  Conformance.describe "log lines #{title}", since: since do
    setting = <<~RUBY unless formatter.empty?
      formatter = Sidekiq::Logger::Formatters::#{formatter}.new
      Sidekiq.configure_server { |config| config.respond_to?(:log_formatter=) ? config.log_formatter = formatter : config.logger.formatter = formatter }
    RUBY
    app "#{LOGGED_JOBS}\n#{setting}"

    scenario do
      sidekiq = [RbConfig.ruby, Gem.bin_path("sidekiq", "sidekiq")]
      @lines = [nil, sidekiq].map do |command|
        push("Fine", 1, jid: "fine", tags: %w[one two], bid: "batch")
        push("Wrong", 2, jid: "wrong", retry: false)
        push("Wrapper", 3, jid: "wrapped", wrapped: "Real::Job")
        push("Fine", 4, jid: "quiet", log_level: "error")
        push("Nowhere::ToBeFound", 5, jid: "unknown", retry: false)
        push("Fine", 6, jid: "shown", display_class: "Shown", tags: ["x"])
        # From 8 on it raises, and the job would be lost there.
        push("Fine", 7, jid: "no level", log_level: "nonsense") unless generation?("8")
        push("Fine", 8, jid: "last")
        running = spawn("-c", "1", "-e", "production", env: env, command: command)
        eventually("the last line") { running.output.match?(/jid\W+last.*done|done.*jid\W+last/) }
        running.stop
        running.lines.grep(/jid/).map { |line| normalized(line) }
      end
    end

    # What differs from run to run.
    def normalized(line)
      line.gsub(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME")
          .gsub(/(pid|tid|elapsed)(["=:]+)[\w.]+/, '\1\2IT')
          .gsub(/(failed_at|created_at|enqueued_at)(\W+)[\d.]+/, '\1\2TIME')
    end

    # The error's own lines come through the error handlers: those that say start, done and fail are ours.
    def steps(lines)
      lines.grep(/start|done|fail\b|inside/).grep_v(/context/)
    end

    it "are the gem's, character for character" do
      expect(steps(@lines.first)).to eq(steps(@lines.last))
      expect(steps(@lines.first).size).to be >= 10
    end

    it "come with the error's, as the gem's handler prints them" do
      errors = @lines.map { |lines| lines.grep(/in vain|Job raised/).grep_v(/Nowhere/) }
      expect(errors.first).to eq(errors.last)
      expect(errors.first).not_to be_empty
    end
  end
end

Conformance.describe "a logger of the application's own" do
  app <<~RUBY
    #{LOGGED_JOBS}
    require "logger"
    own = Logger.new($stdout)
    own.formatter = ->(level, _time, _program, message) { "OWN \#{level} \#{message} \#{Thread.current[:sidekiq_context].inspect}\\n" }
    Sidekiq.configure_server { |config| config.logger = own }
  RUBY

  scenario do
    push("Fine", 1, jid: "fine")
    push("Wrong", 2, jid: "wrong", retry: false)
    start("-c", "1")
    drained
    server.stop
  end

  it "gets the lines" do
    own = server.lines.grep(/\AOWN INFO (start|inside|done|fail)/)
    expect(own.map { |line| line[/INFO (\w+)/, 1] }).to eq(%w[start inside done start fail])
    expect(own).to all(match(/fine|wrong/))
    expect(own.grep(/done|fail/)).to all(match(/elapsed/))
  end
end

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

# What jobs and hooks do to the log while it is written.
LOG_CHANGES = <<~'RUBY'
  class Says
    include JobModule
    def perform(what = "nothing") = instance_exec(&DOES.fetch(what)) && logger.info("inside")
  end
  FORMATTERS = Sidekiq::Logger::Formatters
  def level_of_thread(level) = Sidekiq.logger.respond_to?(:local_level=) ? Sidekiq.logger.local_level = level : true
  FIRST = Sidekiq.logger.formatter
  DOES = {
    "nothing" => -> { true },
    "adds" => -> { Sidekiq::Context.add(:added, "more") },
    "adds and fails" => -> { Sidekiq::Context.add(:added, "more") && raise("in vain") },
    "overwrites" => -> { Sidekiq::Context.add(:class, "Other") },
    "tags" => -> { Sidekiq::Context.current[:tags] << "third" },
    "removes" => -> { Sidekiq::Context.current.delete(:class) },
    "with" => -> { Sidekiq::Context.with(within: 1) { logger.info("within") } },
    "replaces" => -> { Thread.current[:sidekiq_context] = { mine: 1 } },
    "warns" => -> { Sidekiq.logger.level = Logger::WARN },
    "informs" => -> { Sidekiq.logger.level = Logger::INFO; true },
    "quiet thread" => -> { level_of_thread(3) || true },
    "loud thread" => -> { level_of_thread(nil) || true },
    "json" => -> { Sidekiq.logger.formatter = FORMATTERS::JSON.new },
    "short" => -> { Sidekiq.logger.formatter = FORMATTERS::WithoutTimestamp.new },
    "first" => -> { Sidekiq.logger.formatter = FIRST },
    "buffered" => -> { $stdout.sync = false; true },
    "at once" => -> { $stdout.flush.sync = true },
    "elsewhere" => -> { Sidekiq.logger.reopen($stderr) },
    "back" => -> { Sidekiq.logger.reopen($stdout) }
  }
  Sidekiq.configure_server { |config| config.error_handlers.clear; config.error_handlers << proc { } }
RUBY

{ "natively" => "", "through Ruby" => "[:reloader] = ->(&job) { job.call }" }.each do |title, setting|
  Conformance.describe "a log that is changed while jobs run #{title}" do
    options = "(Sidekiq::VERSION < '7' ? config.options : config)"
    app "#{LOG_CHANGES}\n#{"Sidekiq.configure_server { |config| #{options}#{setting} }" unless setting.empty?}"

    scenario do
      whats = LOG_CHANGES.scan(/^  "([\w ]+)" =>/).flatten
      @runs = [nil, [RbConfig.ruby, Gem.bin_path("sidekiq", "sidekiq")]].map do |command|
        whats.flat_map { |what| [what, "nothing"] }.each_with_index do |what, index|
          push("Says", what, jid: "jid#{index}", retry: false, **(what == "tags" ? { tags: %w[one two] } : {}))
        end
        push("Says", jid: "the last")
        running = spawn("-c", "1", "-e", "production", command: command)
        eventually("the last line") { running.output.match?(/jid=the last.*done|done.*jid=the last/) }
        running.stop
        running.lines.grep(/jid|mine/).map { |line| normalized(line) }
      end
    end

    def normalized(line)
      line.gsub(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME").gsub(/(pid|tid|elapsed)(["=:]+)[\w.]+/, '\1\2IT')
    end

    it "has the gem's lines, in its order" do
      expect(@runs.first).to eq(@runs.last)
      expect(@runs.first.size).to be > 80
    end
  end
end

# What is no formatter of its own, but a change to the gem's.
Conformance.describe "a change to the gem's formatter" do
  app <<~RUBY
    #{LOGGED_JOBS}
    module Shouts
      def call(severity, time, program, message) = super(severity, time, program, "OWN \#{message}")
    end
    case ENV["CHANGE"]
    when "formatter" then Sidekiq::Logger::Formatters::Pretty.prepend(Shouts)
    when "context"
      class Sidekiq::Logger::Formatters::Base
        def format_context(*) = " OWN"
      end
    when "logger" then Logger.prepend(Module.new { def format_message(severity, time, program, message) = super(severity, time, program, "OWN \#{message}") })
    end
  RUBY

  it "is heeded" do
    %w[formatter context logger].each do |change|
      push("Fine", 1, jid: change)
      start("-c", "1", env: { "CHANGE" => change })
      drained
      server.stop
      expect(server.lines.grep(/start|inside|done/)).to all(include("OWN")), change
      expect(server.lines.grep(/start|inside|done/).size).to be >= 3, change
    end
  end
end

Conformance.describe "standard output that a hook opens anew" do
  app <<~'RUBY'
    class Says
      include JobModule
      def perform = logger.info("inside") && $stdout.puts("from the job")
    end
    Sidekiq.configure_server { |config| config.on(:startup) { $stdout.reopen(File.join(__dir__, "out"), "w") } }
  RUBY

  scenario do
    2.times { push("Says") }
    start("-c", "1")
    drained
    server.stop
  end

  it "keeps the order of the lines" do
    words = File.readlines(path("out"), chomp: true).filter_map { |line| line[/(start|inside|from the job|done)\z/] }
    expect(words).to eq(["start", "inside", "from the job", "done"] * 2)
  end
end

Conformance.describe "what is raised in a worker outside of any job" do
  app <<~'RUBY'
    class Says
      include JobModule
      WORKERS = Queue.new
      def perform = WORKERS << Thread.current
    end
    # Once it runs no job.
    def strike(worker)
      sleep 0.005 until Sidekiq::Processor.const_get(Sidekiq::VERSION < "6.5" ? :WORKER_STATE : :WORK_STATE).size.zero?
      worker.raise(ArgumentError, "from outside")
    end
    Sidekiq.configure_server do |config|
      config.on(:startup) { Thread.new { strike(Says::WORKERS.pop) until false } }
      config.error_handlers << ->(error, *) { effect("error", error.message, Thread.current[:sidekiq_context].inspect) }
    end
  RUBY

  it "is nobody's in the log" do
    push("Says")
    start("-c", "1")
    message, context = await_effects(1, "error").first
    expect(message).to eq("from outside")
    expect(context).to eq("nil").or eq("{}")
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "a payload that would forge lines of the log" do
  app <<~RUBY
    #{LOGGED_JOBS}
    Sidekiq.configure_server { |config| config.error_handlers.clear; config.error_handlers << proc { } }
  RUBY

  scenario do
    forged = "a\nFORGED \e[2J\u0085FORGED \u2028FORGED\rFORGED"
    [{}, { log_level: "info" }].each do |fields|
      push("Fine", 1, jid: forged, **fields)
      push("Fine", 2, jid: "deleted\u007f", **fields)
      push("Fine", 3, jid: "tags", tags: [forged, "two"], **fields)
      push("Fine", 4, jid: "bid", bid: forged, **fields)
      push("Wrapper", 5, jid: "wrapped", wrapped: forged, **fields)
      push(forged, 6, jid: "class", retry: 0, **fields)
    end
    push("Fine", 7, jid: "last")
    start("-c", "1")
    drained
    server.stop
  end

  it "is shown with escapes" do
    lines = server.output.split(/[\n\r\u0085\u2028]/)
    expect(lines.grep(/\AFORGED/)).to eq([])
    expect(server.output.gsub(/\e\[[\d;]+m/, "")).not_to match(/[\e\u007f]/)
    expect(server.lines.grep(/start|done|fail/).grep(/a\\nFORGED \\e\[2J\\u0085FORGED \\u2028FORGED\\rFORGED/).size)
      .to be >= 20
  end
end

Conformance.describe "log levels" do
  app "#{LOGGED_JOBS}\nSidekiq.configure_server { |config| config.logger.level = Logger::WARN }"

  scenario do
    push("Wrapper", jid: "quiet")
    start
    drained
    server.stop
    push("Wrapper", jid: "skipped")
    write("skip.rb",
          "#{File.read(path("app.rb"))}\nSidekiq.configure_server { |c| c.logger.level = 0 }\n" \
          "Sidekiq.configure_server { |c| c[:skip_default_job_logging] = true if c.respond_to?(:[]=) }")
    start("-v", require: "./skip.rb")
    drained
    server.stop
  end

  it "keep the lines away, and so does skip_default_job_logging" do
    expect(servers.first.output).not_to include("quiet")
    expect(servers.last.output).not_to match(/skipped.*(start|done)/) if generation?("7.3")
  end
end
