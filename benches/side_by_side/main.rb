# frozen_string_literal: true

##
# Footplate and the installed Sidekiq side by side.
#
# loads.rb says what is measured, curves.rb what it is measured over, targets.rb what is aimed at; session.rb runs the
# engines in turn; run.rb is one worker over one load (app.rb, jobs.rb and ledger.rb are what runs inside it);
# summary.rb, report.rb and charts.rb make tables and pictures of it. A load that is to be added is a row in loads.rb,
# and a job in jobs.rb if it needs one.
module SideBySide
  # Why the benchmark cannot run, in a sentence.
  class Error < StandardError; end
end

require "tmpdir"
require_relative "charts"
require_relative "comparison"
require_relative "options"
require_relative "progress"
require_relative "recording"
require_relative "redis"
require_relative "report"
require_relative "session"
require_relative "surroundings"

module SideBySide
  def self.main(argv)
    options = Options.parse(argv)
    $stdout.sync = true
    recordings = options.compare ? compare(options.compare) : [one(options)]
    exit 1 if recordings.any? { |recording| recording.results.any?(&:void) }
  rescue Error => e
    abort "bin/bench: #{e.message}"
  rescue Interrupt
    abort "bin/bench: interrupted"
  end

  def self.compare(paths)
    recordings = paths.map { |path| Recording.read(path) }
    puts Comparison.new(recordings).lines
    recordings
  end

  def self.one(options)
    recording = options.from ? Recording.read(options.from) : measure(options)
    options.loads = recording.loads if options.from || options.add
    show(options, recording)
    recording
  end

  def self.measure(options)
    earlier = Recording.read(options.add) if options.add && File.exist?(options.add)
    Dir.mktmpdir("footplate-bench-redis") do |dir|
      redis = Redis.new(dir)
      surroundings = Surroundings.new(redis)
      earlier&.expect(surroundings.to_h)
      results = Session.new(options, redis, Progress.new($stderr)).call
      recording = Recording.new(results, surroundings.to_h)
      earlier ? earlier.with(recording) : recording
    ensure
      redis&.stop
    end
  end

  def self.show(options, recording)
    report = Report.new(options, recording.results, recording.surroundings)
    report.print($stdout)
    recording.write(options.json, report) if options.json
    return unless options.charts

    puts Charts.new(report.summaries, Surroundings.footer(recording.surroundings)).write(options.charts)
  end
  private_class_method :compare, :one, :measure, :show
end
