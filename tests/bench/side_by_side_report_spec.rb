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

  def report(results, options = parse)
    out = StringIO.new
    SideBySide::Report.new(options, results, facts).print(out)
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
    text = report([result("idle", :gem, { commands: 1.5, cpu_percent: 0.1, resident: 30_000 })])
    expect(text).to match(%r{idle process +\| <= 2 Redis commands/s +\| 1.50 +\| reached})
    expect(text).to match(/scheduled job.*\| <= 50 ms late at p99 +\| +\| not measured/)
    expect(text).to match(/PSS.*comes with -p/)
  end

  it "says which engine does not keep up with a rate" do
    late = { p50: 900.0, p99: 2_000.0, p999: 2_100.0, max: 2_200.0, backlog: 9_000 }
    text = report([result("latency10000", :gem, late.merge(backlog: 3)), result("latency10000", :sidekiq, late)])
    expect(text).to match(%r{^Sidekiq does not keep up with "push to perform, 10,000/s"})
    expect(text).not_to match(/^Footplate does not keep up/)
  end

  it "makes a column of each point of a curve" do
    results = [1, 100].map { |threads| result("threads:#{threads}", :gem, { jobs_per_second: threads * 1_000 }) }
    text = report(results, parse("--curves", "threads"))
    expect(text).to match(/\| threads \(jobs.s\) \| 1 .*\| lowest .*\n.*\n.*\| 0.01 /)
  end

  it "draws what it has, from a file of an earlier session as well" do
    results = %i[gem sidekiq].flat_map do |engine|
      points = [100, 10_000].map { |bytes| result("payload:#{bytes}", engine, { jobs_per_second: bytes * 3.0 }) }
      [result("noop", engine, { jobs_per_second: 9.0, resident: 1 }),
       result("latency10", engine, { p50: 1.0, p99: 2.0 }), *points]
    end
    Dir.mktmpdir do |dir|
      file = File.join(dir, "measured.json")
      SideBySide::Recording.new(results, facts).write(file, SideBySide::Report.new(parse, results, facts))
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
    expect { SideBySide::Recording.read("/nowhere") }
      .to raise_error(SideBySide::Error, %r{cannot read /nowhere})
  end

  it "puts recordings beside each other" do
    runs = { gem: 200, sidekiq: 10, bare: 400 }.map { |engine, rate| result("noop", engine, { jobs_per_second: rate }) }
    one = SideBySide::Recording.new(runs, facts)
    twelve = facts.merge(os: "Debian GNU/Linux 12 (x)")
    two = SideBySide::Recording.new([result("cpu", :gem, { jobs_per_second: 7 })], twelve)
    text = SideBySide::Comparison.new([one, two]).lines.join("\n")
    expect(text).to match(/^\| no-op, logs quiet +\| 200 ± 0 % +\| 10 ± 0 % +\| 20.0 +\| +\| +\| +\|$/)
    expect(text).to match(/no-op, logs quiet +\| >= 20 x Sidekiq +\| 20.00 × +\| not measured/)
    expect(text).to match(/no-op, logs quiet +\| >= 1.2 of the bare loop +\| \*\*0.50\*\*, not reached/)
    expect(text).to match(/^\| CPU-bound .*Fib.* \| +\| +\| +\| 7 ± 0 % +\| +\| +\|$/)
  end

  it "adds loads to a recording of the same commit and machine, and to no other" do
    first = %w[noop cpu].map { |load| result(load, :gem, { jobs_per_second: 1 }) }
    earlier = SideBySide::Recording.new(first, facts)
    now = facts.merge(date: "2026-01-03 03:04", load_average: [0.3, 2])
    both = earlier.with(SideBySide::Recording.new([result("cpu", :gem, { jobs_per_second: 2 })], now))
    expect(both.results.map { |it| [it.load, it.figures[:jobs_per_second]] }).to eq([["noop", 1], ["cpu", 2]])
    expect(both.surroundings).to eq(facts.merge(load_average: [0.3, 2]))
    other = SideBySide::Recording.new([], facts.merge(commit: "def"))
    expect { earlier.with(other) }.to raise_error(SideBySide::Error, /another commit: abc, now def/)
  end

  it "measures points of all curves, or of one" do
    expect(parse("--curves").loads.map(&:curve).uniq).to eq(SideBySide::CURVES.map(&:name))
    expect(parse("--curves", "queues").loads.map(&:at)).to eq([1, 5, 20, 50, 200])
  end
end
