# frozen_string_literal: true

require_relative "support/conformance"

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
