# frozen_string_literal: true

require "stringio"
require_relative "../../benches/side_by_side/main"

RSpec.describe SideBySide do
  def result(load, engine, figures, pair = 0)
    SideBySide::Session::Result.new(load: load, engine: engine, pair: pair, figures: figures)
  end

  def parse(*words)
    SideBySide::Options.parse(words)
  end

  let(:facts) do
    { date: "2026-01-02 03:04", footplate: "1", commit: "abc", sidekiq: "8", ruby: "ruby 3.3.8 (x)", redis: "7",
      os: "Debian GNU/Linux 13", cpu: "AMD & co", cores: 2, load_average: [0.1, 1] }
  end

  def part(results, facts = self.facts)
    SideBySide::Recording::Part.new(surroundings: facts, results: results)
  end

  def recording(*results)
    SideBySide::Recording.new([part(results)])
  end

  def report(*results)
    out = StringIO.new
    SideBySide::Report.new(recording(*results)).print(out)
    out.string
  end

  describe SideBySide::Summary do
    let(:results) do
      rates = { gem: [100, 300, 200], sidekiq: [10, 15, 25] }
      pairs = rates.flat_map do |engine, some|
        memory = { gem: 50, sidekiq: 100 }.fetch(engine)
        some.each_with_index.map do |rate, pair|
          result("noop", engine, { jobs_per_second: rate, resident: memory }, pair)
        end
      end
      void = result("noop", :gem, nil, 3).tap { |it| it.void = "lost" }
      [*pairs, result("noop", :bare, { jobs_per_second: 400 }, 2), void]
    end
    let(:summary) { described_class.new(SideBySide::LOADS.first, results) }

    it "compares what ran in the same pair" do
      expect(summary.figure(:ratio)).to eq(10) # of 10, 20, and 8
      expect(summary.figure(:of_limit)).to eq(0.5)
      expect(summary.figure(:memory)).to eq(0.5)
      expect(summary.spread(:gem, :jobs_per_second).share).to eq(0.5)
    end

    it "compares a load with the one without delay" do
      delayed = { gem: 190, undelayed: 200 }.map { |engine, rate| result("noop", engine, { jobs_per_second: rate }) }
      expect(described_class.new(SideBySide::LOADS.first, delayed).figure(:of_undelayed)).to eq(0.95)
    end

    it "leaves void runs out, and says nothing where nothing is left" do
      expect(summary.spread(:gem, :jobs_per_second).runs).to eq(3)
      expect(summary.figure(:p50)).to be_nil
      expect(SideBySide::TARGETS.first.reached?(nil)).to be_nil
    end
  end

  it "names targets that are measured, that are not, and that come later" do
    others = SideBySide::LOADS.map { |load| result(load.name, :sidekiq, {}) }
    text = report(*others, result("idle", :gem, { commands: 1.5, cpu_percent: 0.1, resident: 30_000 }))
    expect(text).to match(%r{idle process +\| <= 2 Redis commands/s +\| 1.50 \(1.50 to 1.50\) +\| reached})
    expect(text).to match(/scheduled job.*\| <= 50 ms late at p99 +\| +\| not measured/)
    expect(text).to match(/PSS.*comes with -p/)
  end

  it "says which engine does not keep up with a rate" do
    late = { p50: 900.0, p99: 2_000.0, p999: 2_100.0, max: 2_200.0, backlog: 9_000 }
    text = report(result("latency10000", :gem, late.merge(backlog: 3)), result("latency10000", :sidekiq, late))
    expect(text).to match(%r{^Sidekiq does not keep up with "push to perform, 10,000/s"})
    expect(text).not_to match(/^Footplate does not keep up/)
  end

  it "makes a column of each point of a curve" do
    results = [1, 100].map { |threads| result("threads:#{threads}", :gem, { jobs_per_second: threads * 1_000 }) }
    text = report(*results)
    expect(text).to match(/\| threads \(jobs.s\) \| 1 .*\| lowest .*\n.*\n.*\| 0.01 /)
    expect(text).to include("0.01 (target: >= 0.9, not reached)")
  end

  it "draws what it has, from a file of an earlier session as well" do
    results = %i[gem sidekiq].flat_map do |engine|
      points = [100, 10_000].map { |bytes| result("payload:#{bytes}", engine, { jobs_per_second: bytes * 3.0 }) }
      [result("noop", engine, { jobs_per_second: 9.0, resident: 1 }),
       result("latency10", engine, { p50: 1.0, p99: 2.0 }), *points]
    end
    Dir.mktmpdir do |dir|
      file = File.join(dir, "measured.json")
      recording(*results).write(file)
      expect { SideBySide.main(["--from", file, "--charts", dir]) }.to output(/ratios.svg/).to_stdout
      %w[ratios latency curve-payload].each do |name|
        svg = File.read(File.join(dir, "#{name}.svg"))
        expect(svg).to start_with("<svg xmlns").and end_with("</svg>\n")
        expect(svg).to match(/<rect [^>]*fill="#ffffff"/).and include("Sidekiq 8")
        expect(svg).not_to match(/NaN|Infinity/)
      end
    end
  end

  it "shows a bar and the time that is left on a terminal" do
    out = StringIO.new
    allow(out).to receive(:tty?).and_return(true)
    SideBySide::Progress.new(out).show(12, 24, "no-op")
    expect(out.string).to match(%r{█{12}░{12} 12/24, 0 s left  no-op})
  end

  it "refuses what it does not know" do
    expect { parse("--only", "nope") }.to raise_error(SideBySide::Error, /unknown load: nope/)
    expect { parse("--curves", "nope") }.to raise_error(SideBySide::Error, /unknown curve: nope/)
    expect { parse("--pairs", "0") }.to raise_error(SideBySide::Error, "--pairs must be positive")
    expect { recording.write("/nowhere/all.json") }.to raise_error(SideBySide::Error, %r{cannot write /nowhere})
    ["/nowhere", __FILE__].each do |path|
      expect { SideBySide::Recording.read(path) }.to raise_error(SideBySide::Error, /cannot read #{path}/)
    end
  end

  it "puts recordings beside each other" do
    runs = { gem: 200, sidekiq: 10, bare: 400 }.map { |engine, rate| result("noop", engine, { jobs_per_second: rate }) }
    one = recording(*runs, result("cpu", :gem, nil).tap { |it| it.void = "lost" })
    twelve = facts.merge(os: "Debian GNU/Linux 12 (x)")
    two = SideBySide::Recording.new([part([result("cpu", :gem, { jobs_per_second: 7 })], twelve)])
    text = SideBySide::Comparison.new([one, two]).lines.join("\n")
    expect(text).to match(/^\| no-op, logs quiet +\| 200 ± 0 % +\| 10 ± 0 % +\| 20.0 \(20.0 to 20.0\) \| +\| +\| +\|$/)
    expect(text).to match(/no-op, logs quiet +\| >= 20 x Sidekiq +\| 20.0 \(20.0 to 20.0\) +\| not measured/)
    expect(text).to match(/no-op, logs quiet +\| >= 1.2 of the bare loop +\| \*\*0.50 \(.*\)\*\*, not reached/)
    expect(text).to match(/^\| CPU-bound .*Fib.* \| void +\| void +\| +\| 7 ± 0 % +\| +\| +\|$/)
    expect(text).to match(/^\| CPU-bound .*Fib.* \| >= 0.97 of the bare loop +\| void +\| not measured/)
    expect(text).to include("1 of 5 runs are void")
  end

  it "heads with the load that a reader has, of those that somebody measured" do
    old, new = [%w[noop activejob], %w[activejob activejob-info]].map do |loads|
      recording(*loads.product(%i[gem sidekiq]).map do |load, engine|
        result(load, engine, { jobs_per_second: engine == :gem ? 30 : 10 })
      end)
    end
    expect(SideBySide::Headlines.new([old]).lines.last).to match(/logger nil: jobs.s +\| 3.0 × Sidekiq's/)
    expect(SideBySide::Headlines.new([old, new]).lines.drop(2))
      .to match([/no-op, logs quiet: .*\| 3.0 × .*\| not measured/, /logger at info: .*\| not measured +\| 3.0 ×/])
  end

  it "shows one digit more where a figure would read like the target that it misses" do
    runs = { gem: 0.949, bare: 1.0 }.map { |engine, rate| result("activejob", engine, { jobs_per_second: rate }) }
    summary = SideBySide::Summary.new(SideBySide::LOADS.find { |load| load.name == "activejob" }, runs)
    target = SideBySide::Target.new("activejob", :of_limit, :>=, 0.95)
    expect(SideBySide::Verdict.of(summary, target).cell).to eq("**0.949 (0.95 to 0.95)**, not reached")
  end

  it "adds a session to a recording of the same machine, in which the last one of a load counts" do
    first = %w[noop cpu].map { |load| result(load, :gem, { jobs_per_second: 1 }) }
    later = part([result("cpu", :gem, { jobs_per_second: 2 })], facts.merge(commit: "def"))
    both = SideBySide::Recording.new([part(first)]).with(later)
    expect(both.results.map { |it| [it.load, it.figures[:jobs_per_second]] }).to eq([["noop", 1], ["cpu", 2]])
    table = SideBySide::Provenance.lines([both])
    expect(table[2..]).to match([/\| noop +\| .*\| abc /, /\| cpu +\| .*\| def /])
    expect { both.with(part([], facts.merge(os: "another"))) }
      .to raise_error(SideBySide::Error, /another os: Debian GNU.Linux 13, now another/)
  end

  it "runs one front door's client beside Sidekiq's" do
    session = SideBySide::Session.new(parse.tap { |options| options.doors = %i[gem embedded] }, nil, nil)
    enqueue = SideBySide::LOADS.find { |load| load.name == "enqueue" }
    expect(session.send(:steps, enqueue)).to eq(%i[gem sidekiq])
  end

  it "measures points of all curves, or of one" do
    expect(parse("--curves").loads.map(&:curve).uniq).to eq(SideBySide::CURVES.map(&:name))
    expect(parse("--curves", "queues").loads.map(&:at)).to eq([1, 5, 20, 50, 200])
  end
end
