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
    expect(processed).to eq(2)
    expect(servers.first.output).not_to include("quiet")
    expect(servers.last.output).not_to match(/skipped.*(start|done)/) if generation?("7.3")
  end
end
