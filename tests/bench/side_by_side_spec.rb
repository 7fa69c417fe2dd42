# frozen_string_literal: true

require_relative "../../benches/side_by_side/main"

RSpec.describe SideBySide do
  describe SideBySide::Run do
    around do |example|
      Dir.mktmpdir do |dir|
        @redis = SideBySide::Redis.new(dir)
        example.run
      ensure
        @redis&.stop
      end
    end

    let(:noop) { SideBySide::LOADS.find { |load| load.name == "noop" } }
    let(:run) { described_class.new(redis: @redis, engine: :gem, load: noop, jobs: 100) }

    it "counts what ran between the opening and the last job" do
      figures = run.call
      expect(figures[:jobs_per_second]).to be_within(1).of(100 / figures[:seconds])
      expect(figures[:resident]).to be > 1_000
      expect(figures[:per_job][:redis_commands]).to be_positive
    end

    it "is void when a job ran twice and another never" do
      allow(SideBySide::Payloads).to receive(:job).and_wrap_original do |job, load, number|
        job.call(load, number == 7 ? 8 : number)
      end
      expect { run.call }.to raise_error(SideBySide::Void, "1 jobs lost, 1 run twice")
    end
  end

  describe SideBySide::Summary do
    def result(engine, figures)
      SideBySide::Session::Result.new(load: "noop", engine: engine, pair: 0, figures: figures)
    end

    let(:results) do
      [100, 300, 200].map { |rate| result(:gem, { jobs_per_second: rate, resident: 50 }) } +
        [10, 20].map { |rate| result(:sidekiq, { jobs_per_second: rate, resident: 100 }) } +
        [result(:bare, { jobs_per_second: 400 }), result(:gem, nil).tap { |it| it.void = "lost" }]
    end
    let(:summary) { described_class.new(SideBySide::LOADS.first, results) }

    it "compares medians" do
      expect(summary.figure(:ratio)).to be_within(0.01).of(200 / 15.0)
      expect(summary.figure(:of_limit)).to eq(0.5)
      expect(summary.figure(:memory)).to eq(0.5)
      expect(summary.spread(:gem, :jobs_per_second).share).to eq(0.5)
    end

    it "leaves void runs out, and says nothing where nothing is left" do
      expect(summary.spread(:gem, :jobs_per_second).runs).to eq(3)
      expect(summary.figure(:p50)).to be_nil
      expect(SideBySide::TARGETS.first.reached?(nil)).to be_nil
    end
  end

  it "refuses loads it does not know" do
    expect { SideBySide::Options.parse(%w[--only nope]) }.to raise_error(SideBySide::Error, /unknown load: nope/)
  end
end
