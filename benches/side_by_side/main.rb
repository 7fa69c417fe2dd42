# frozen_string_literal: true

##
# Footplate and the installed Sidekiq side by side.
#
# loads.rb says what is measured, curves.rb what it is measured over, targets.rb what is aimed at; session.rb runs the
# engines in turn; run.rb is one worker over one load (app.rb and jobs.rb are what runs inside it), enqueue_run.rb one
# client; summary.rb, report.rb and charts.rb make tables and pictures of it. A load that is to be added is a row in
# loads.rb, and a job in jobs.rb if it needs one. What `footplate bench` needs as well is in ruby/lib/footplate/bench.
module SideBySide
  # Why the benchmark cannot run, in a sentence.
  class Error < StandardError; end
end

require "tmpdir"
require_relative "charts"
require_relative "comparison"
require_relative "headlines"
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
    Charts.make_folder(options.charts) if options.charts
    return puts(Comparison.new(options.compare.map { |path| Recording.read(path) }).lines) if options.compare
    return show(options, Recording.read(options.from)) if options.from

    recording = measure(options)
    show(options, recording)
    exit 1 if recording.parts.last.results.any?(&:void)
  rescue Error => e
    abort "bin/bench: #{e.message}"
  rescue Interrupt
    abort "bin/bench: interrupted#{"; #{options.json} has the loads measured so far" if options&.json}"
  end

  def self.measure(options)
    earlier = options.add && File.exist?(options.add) ? Recording.read(options.add) : Recording.new([])
    Engines.check(options.loads)
    Dir.mktmpdir("footplate-bench-redis") do |dir|
      redis = Redis.new(dir)
      surroundings = Surroundings.new(redis)
      recording = earlier.with(Recording::Part.new(surroundings: surroundings.to_h, results: []))
      recording.write(options.json) if options.json
      Session.new(options, redis, Progress.new($stderr)).call do |results|
        recording = earlier.with(Recording::Part.new(surroundings: surroundings.to_h, results: results))
        recording.write(options.json) if options.json
      end
      recording
    ensure
      redis&.stop
    end
  end

  def self.show(options, recording)
    Report.new(recording).print($stdout)
    puts Charts.new(recording).write(options.charts) if options.charts
  end
  private_class_method :measure, :show
end
