# frozen_string_literal: true

require "open3"
require "rbconfig"
%w[own_redis waiting].each { |file| require_relative "../support/#{file}" }
require_relative "../chaos/support/server_process"
require_relative "support/account"

# The same jobs, pushed by Sidekiq's client, run by Sidekiq and by Footplate: what is left behind is the same.
RSpec.describe "Footplate beside Sidekiq" do
  include Waiting

  app = File.expand_path("support/app.rb", __dir__)
  catalogue = File.expand_path("support/catalogue.rb", __dir__)
  jobs = Integer(ENV.fetch("FOOTPLATE_DIFFERENTIAL_JOBS", "10000"))
  seed = Integer(ENV.fetch("FOOTPLATE_DIFFERENTIAL_SEED", Random.new_seed % 1_000_000))
  queues = %w[-q high -q default -q low -q other -q last -c 10]

  servers = {
    sidekiq: { program: ServerProcess::SIDEKIQ },
    native: { program: ServerProcess::FOOTPLATE },
    middleware: { program: ServerProcess::FOOTPLATE, env: { "MIDDLEWARE" => "1" } }
  }

  # One after the other: the machine is not to be shared by what is compared.
  before(:context) do
    skip "the sidekiq gem is not installed" if Gem::Specification.find_all_by_name("sidekiq").empty?
    RSpec.configuration.reporter.message("    #{jobs} jobs, seed #{seed} (FOOTPLATE_DIFFERENTIAL_SEED replays it)")
    @stores = servers.transform_values { { redis: OwnRedis.start, ledger: OwnRedis.start } }
    @left = {}
    push(catalogue, jobs, seed)
    @stores.keys.drop(1).each { |name| copy(@stores[:sidekiq][:redis], @stores[name][:redis]) }
    servers.each { |name, options| run(name, app, queues, options) }
  end

  after(:context) { @stores&.each_value { |store| store.each_value(&:stop) } }

  def push(catalogue, jobs, seed)
    store = @stores[:sidekiq]
    env = { "REDIS_URL" => store[:redis].url, "LEDGER" => store[:ledger].socket }
    out, status = Open3.capture2e(env, RbConfig.ruby, catalogue, jobs.to_s, seed.to_s)
    raise out unless status.success?
  end

  def copy(from, to)
    scored = ->(name) { from.call("ZRANGE", name, 0, -1, "WITHSCORES").each_slice(2).flat_map(&:reverse) }
    from.keys("*").each do |name|
      case from.call("TYPE", name)
      when "list" then from.call("LRANGE", name, 0, -1).each_slice(500) { |part| to.call("RPUSH", name, *part) }
      when "set" then to.call("SADD", name, *from.call("SMEMBERS", name))
      when "zset" then to.call("ZADD", name, *scored.call(name))
      end
    end
  end

  # Until nothing waits, nor is in Footplate's tables; what still runs in Sidekiq ends before it does.
  def run(name, app, queues, options)
    store = @stores[name]
    server = ServerProcess.new(app: app, **store, arguments: queues, **options).start.await_ready
    started = now
    # Several times: a due job of Sidekiq's is nowhere for a moment on its way to its queue.
    looks = 0
    eventually("an end of #{name}: #{server.output.lines.last(20).join}", within: 300) do
      looks = store[:redis].unfinished.zero? ? looks + 1 : 0
      looks > 100
    end
    RSpec.configuration.reporter.message("    #{name}: #{(now - started).round(1)} s")
    await_beat(store[:redis]) if name == :sidekiq && generation == 7
    status = server.stop
    raise "#{name} ended with #{status}:\n#{server.output}" unless status.success?

    # Now: some of it lives for a minute.
    @left[name] = account(name).to_h
  ensure
    server&.discard
  end

  # Sidekiq 7 writes its metrics after a beat and, unlike 8, not at its end. Beats come sooner (10 s) than retries.
  def await_beat(redis)
    identity = redis.call("SMEMBERS", "processes").first
    last = redis.call("HGET", identity, "beat")
    eventually("an idle beat", within: 30) do
      beat, busy = redis.call("HMGET", identity, "beat", "busy")
      beat != last && busy == "0"
    end
  end

  def generation
    Gem::Specification.find_all_by_name("sidekiq").map { |spec| spec.version.segments.first }.max
  end

  def account(name)
    Account.new(@stores[name][:redis])
  end

  def ledger(name)
    ledger = @stores[name][:ledger]
    { runs: ledger.call("HGETALL", "runs").each_slice(2).to_h, death: ledger.call("LRANGE", "death", 0, -1).sort,
      exhausted: ledger.call("LRANGE", "exhausted", 0, -1).sort }
  end

  # @return [Hash] what only one of the two has, of whatever differs; a failure with all they share could not be read
  def difference(ours, theirs)
    (ours.keys | theirs.keys).each_with_object({}) do |key, found|
      mine, other = [ours, theirs].map { |all| Array(all[key]).flatten(2).map(&:to_s).tally.sort }
      found[key] = { ours: (mine - other).first(5), theirs: (other - mine).first(5) } unless mine == other
    end
  end

  (servers.keys - [:sidekiq]).each do |name|
    describe "(#{name} path)" do
      it "runs every job once, and calls the same blocks and handlers" do
        ours = ledger(name)
        expect(ours.values).not_to include(be_empty)
        expect(ours[:runs].reject { |_, times| times == "1" }).to eq({})
        expect(difference(ours, ledger(:sidekiq))).to eq({})
      end

      it "leaves the same keys, types, lifetimes, counters, sets and bytes" do
        ours, theirs = @left.values_at(name, :sidekiq)
        expect(ours.transform_values { |it| it.first(2) }).to eq(theirs.transform_values { |it| it.first(2) })
        expect(difference(ours, theirs)).to eq({})
      end

      it "counts the same executions by class" do
        expect(account(name).metrics).to eq(account(:sidekiq).metrics)
      end
    end
  end

  # @return [Range] what the formula and its jitter allow, and a second for a slow machine
  def window(job)
    custom = job[:class].match?(/\ARetryIn(Integer|Float|String)|\AOneArgument/)
    custom ||= job[:class] == "Failing" && job[:error] != "KeyError"
    base = custom ? 50_000 : (job[:count]**4) + 15
    (base - 0.01)..(base + (10 * (job[:count] + 1)) + 1)
  end

  servers.each_key do |name|
    it "schedules retries within the formula and its jitter (#{name})" do
      delays = account(name).delays
      expect(delays).not_to be_empty
      expect(delays.reject { |job| window(job).cover?(job[:delay]) }).to eq([])
    end
  end
end
