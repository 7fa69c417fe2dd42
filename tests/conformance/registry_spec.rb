# frozen_string_literal: true

require_relative "support/conformance"

# What the dashboard and Sidekiq's API see of a running process.
Conformance.describe "the registry" do
  app <<~'RUBY', files: { "config/sidekiq.yml" => ":labels: [blue, green]\n:queues: [[critical, 3], [default, 1]]\n" }
    class Hold
      include JobModule
      def perform(name) = hold(name)
    end
    class Ok
      include JobModule
      def perform = effect("ok", $0, ENV["RAILS_ENV"], ENV["RACK_ENV"])
    end
    class Wrong < Failing; end
    Sidekiq.configure_server { |config| config.on(:startup) { effect("server", !Sidekiq.server?.nil?) } }
  RUBY

  # What Sidekiq's own API reads, in a process of its own.
  def api(code)
    script = "require 'json'; require 'sidekiq/api'; puts JSON.generate(#{code})"
    # Before it, 7 says where it connects.
    JSON.parse(IO.popen([{ "REDIS_URL" => redis.url }, RbConfig.ruby, "-rsidekiq", "-e", script], &:readlines).last)
  end

  scenario do
    redis.call("SADD", "processes", "gone:1:abcdef")
    @started = Time.now.to_f
    start("-c", "3", "-g", "shop", "-e", "staging")
    @job = push("Hold", "it", queue: "critical")
    await_effects(1, "holds")
    @fields = redis.call("HGETALL", identity).each_slice(2).to_h
    @info = JSON.parse(@fields["info"])
    @works = eventually("the busy table", within: 12) do
      found = redis.call("HGETALL", "#{identity}:work#{"ers" unless generation?("6.5")}") and !found.empty? && found
    end
    eventually("the busy count", within: 12) { redis.call("HGET", identity, "busy") == "1" }
    @api = api(<<~'CODE')
      Sidekiq::ProcessSet.new.map { |p| [p["hostname"], p["concurrency"], p["busy"], p["tag"], p["queues"].sort, p.labels, p.stopping?] } +
        (defined?(Sidekiq::WorkSet) ? Sidekiq::WorkSet : Sidekiq::Workers).new.map { |id, tid, work| [id, tid, work.respond_to?(:job) ? work.job.jid : work["payload"]["jid"]] }
    CODE
    @title = File.read("/proc/#{server.pid}/cmdline").split("\0").first.to_s.strip
    @ttl = redis.call("TTL", identity)
    release("it")
    push("Ok")
    push("Wrong")
    drained
  end

  it "names the process as Sidekiq does" do
    expect(identity).to match(/\A#{Regexp.escape(Socket.gethostname)}:#{server.pid}:\h{12}\z/)
    expect(@info).to include("hostname" => Socket.gethostname, "pid" => server.pid, "identity" => identity,
                             "tag" => "shop",
                             "labels" => match_array(%w[blue green]), "concurrency" => 3)
    expect(@info["started_at"]).to be_a(Float).and be_between(@started - 1, Time.now.to_f)
    expect(@info["queues"]).to match_array(%w[critical default])
    expect(@info["weights"]).to eq([{ "critical" => 3, "default" => 1 }])
    expect(@info["version"]).to eq(Conformance::Generation.version.to_s)
    expect(@info["embedded"]).to be(false)
  end

  it "beats" do
    expect(@fields).to include("concurrency" => "3", "quiet" => "false", "rtt_us" => /\A\d+\z/, "busy" => /\A\d+\z/)
    expect(@fields["beat"].to_f).to be_between(@started - 1, Time.now.to_f)
    expect(@fields["rss"].to_i).to be_between(10_000, 2_000_000)
    expect(@ttl).to be_between(1, 60)
  end

  it "shows what runs, with the payload as it was written" do
    work = JSON.parse(@works.last)
    expect(work).to include("queue" => "critical", "payload" => @job, "run_at" => be_a(Integer))
    expect(work["run_at"]).to be_within(30).of(Time.now.to_i)
  end

  it "is what Sidekiq's API reads" do
    jid = JSON.parse(@job)["jid"]
    expect(@api).to eq([[Socket.gethostname, 3, 1, "shop", %w[critical default], @info["labels"], false],
                        [identity, @works.first, jid]])
  end

  it "prunes the dead" do
    expect(redis.call("SMEMBERS", "processes")).to eq([identity])
  end

  it "shows in ps" do
    expect(@title).to match(/\Afootplate \S+ shop \[\d of 3 busy\]\z/)
  end

  it "tells the application where it is" do
    expect(effects("ok").first.last(2)).to eq(%w[staging staging])
    expect(effects("server")).to eq([[true]])
  end

  it "counts, for ever and for the day" do
    day = Time.now.utc.strftime("%Y-%m-%d")
    expect(%W[stat:processed stat:failed stat:processed:#{day} stat:failed:#{day}].map do |key|
             redis.call("GET", key)
           end).to eq(%w[3 1 3 1])
    expect(redis.call("TTL", "stat:processed:#{day}")).to be_within(10).of(157_680_000)
    expect(redis.call("TTL", "stat:processed")).to eq(-1)
  end

  it "leaves metrics that Sidekiq reads, since 7.0" do
    expect(server.stop).to eq(0)
    next expect(redis.call("KEYS", "j|*")).to be_empty unless generation?("7.0")

    query = "require 'sidekiq/metrics/query'; Sidekiq::Metrics::Query.new"
    totals = api("begin; #{query}.top_jobs.job_results.transform_values { |it| it.totals.values_at('p', 'f') }; end")
    expect(totals).to eq("Hold" => [1, 0], "Ok" => [1, 0], "Wrong" => [1, 1])
    expect(api("begin; #{query}.for_job('Ok').job_results['Ok'].hist.values.flatten.sum; end")).to eq(1)
  end
end
