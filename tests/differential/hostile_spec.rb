# frozen_string_literal: true

require "rbconfig"
%w[own_redis waiting].each { |file| require_relative "../support/#{file}" }
require_relative "../chaos/support/server_process"
require_relative "support/account"
require_relative "support/hostile_jobs"

# What goes wrong while a failure is recorded, and every number that a payload may have: the job's own error is kept and
# heard as with Sidekiq, on both paths, and where Sidekiq trips and loses the job, it is kept here.
RSpec.describe "Failures beside Sidekiq" do
  include Waiting

  app = File.expand_path("support/hostile_app.rb", __dir__)
  servers = {
    sidekiq: { program: ServerProcess::SIDEKIQ },
    native: { program: ServerProcess::FOOTPLATE },
    ruby: { program: ServerProcess::FOOTPLATE, env: { "RELOADER" => "1" } }
  }

  before(:context) do
    skip "the sidekiq gem is not installed" if Gem::Specification.find_all_by_name("sidekiq").empty?
    @jobs = HostileJobs.jobs(names(app))
    @left = servers.to_h { |name, options| [name, name == :sidekiq ? measure(app, options) : run(app, options)] }
  end

  # The classes are made while the application loads.
  def names(app)
    IO.popen({ "REDIS_URL" => "redis://127.0.0.1:1" }, [RbConfig.ruby, app], &:readlines).map(&:chomp)
  end

  # All threads of a Sidekiq may die of what these jobs do, and then it stands still: seen once in fifteen runs.
  def measure(app, options)
    run(app, options)
  rescue Waiting::TooLate => e
    warn "Sidekiq is started again: #{e.message}"
    run(app, options)
  end

  def run(app, options)
    redis, ledger = Array.new(2) { OwnRedis.start }
    redis.push("default", @jobs.values)
    started = Time.now.to_f
    server = ServerProcess.new(app: app, redis: redis, ledger: ledger, arguments: %w[-c 5], **options).start.await_ready
    await_end(server, redis)
    server.stop
    heard, died = %w[heard died].map { |list| ledger.call("LRANGE", list, 0, -1).map { |it| it.split("|") } }
    { places: HostileJobs.remains(redis, started), heard: heard, died: died.map(&:first),
      runs: ledger.call("HGETALL", "runs").each_slice(2).to_h }
  ensure
    server&.discard
    [redis, ledger].compact.each(&:stop)
  end

  def await_end(server, redis)
    eventually("an end", within: 120) { redis.unfinished.zero? }
  rescue Waiting::TooLate => e
    held = redis.call("KEYS", "footplate:inflight:*").to_h { |key| [key, redis.call("HGETALL", key).first(6)] }
    raise e, "#{e.message}; #{redis.call("LLEN", "queue:default")} wait, #{held} are held by\n" \
             "#{server.output.lines.last(20).join}"
  end

  # The classes that jobs raise, as Ruby knows them.
  def own_error(id)
    case (name = id.split.first)
    when "OddNameless" then nil
    when /\AOdd[^l]/ then "#{name}Error"
    else "ArgumentError"
    end
  end

  def places(name, id)
    @left[name][:places].fetch(id, [])
  end

  # Before 8.0.7 nobody hears of what sidekiq_retry_in discards.
  def gone
    @left[:sidekiq][:died].include?("InDiscard") ? [] : ["InDiscard"]
  end

  # Sidekiq is the measure where it stored the job's own error: else it stored another, or lost the job.
  def as_expected?(id, mine, theirs)
    return mine.as_late_as?(theirs) if mine && mine.content == theirs&.content
    return mine.nil? || mine.error == own_error(id) unless theirs && theirs.error == own_error(id)

    theirs.message != "own" && mine&.message == "own"
  end

  %i[native ruby].each do |name|
    describe "(#{name} path)" do
      it "runs every job once, and leaves it in one place or tells the death handlers" do
        expect(@left[name][:runs].values.uniq).to eq(["1"])
        ends = (@jobs.keys - gone).to_h { |id| [id, [places(name, id).map(&:set), @left[name][:died].count(id)]] }
        expect(ends.reject { |_, it| [[["retry"], 0], [["dead"], 1], [[], 1]].include?(it) }).to eq({})
      end

      it "stores the job's own error, and what else Sidekiq stores with it" do
        different = @jobs.keys.reject { |id| as_expected?(id, places(name, id).first, places(:sidekiq, id).first) }
        shown = different.first(5).to_h { |id| [id, [name, :sidekiq].map { |it| places(it, id).map(&:content) }] }
        expect([different.size, shown]).to eq([0, {}])
      end

      it "stores nothing only of jobs of which Sidekiq stores nothing, and tells the death handlers" do
        dropped = @jobs.keys.select { |id| places(name, id).empty? }
        expect(dropped - @left[:sidekiq][:died] - gone).to eq([])
      end

      it "tells the error handlers of the job's own error once, and of what else went wrong" do
        heard = @left[name][:heard].tally
        own = @jobs.keys.to_h { |id| [id, heard[[id, own_error(id)].compact]] }
        expect(own.reject { |_, times| times == 1 }).to eq({})
        expect(besides - heard.keys).to eq([])
      end
    end
  end

  # @return [Array] job or context, and class, of the errors besides the jobs' own
  def besides
    HostileJobs::SECOND.flat_map do |way, error|
      delay = "sidekiq_retry_in of In#{way} failed; the job is retried by the default formula"
      [[delay, error], ["Error reading the retry option of ReadingOptions#{way}", error],
       ["Exhausted#{way} for good", error], ["Dying#{way} for good", error]]
    end
  end
end
