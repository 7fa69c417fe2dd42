# frozen_string_literal: true

##
# Footplate and the installed Sidekiq side by side.
#
# loads.rb says what is measured and what performance is aimed at; session.rb runs the engines in turn; run.rb is one
# worker over one load (app.rb, jobs.rb and ledger.rb are what runs inside it); summary.rb and report.rb make tables of
# it. A load that is to be added is a row in loads.rb, and a job in jobs.rb if it needs one.
module SideBySide
  # Why the benchmark cannot run, in a sentence.
  class Error < StandardError; end
end

require "tmpdir"
require_relative "options"
require_relative "progress"
require_relative "redis"
require_relative "report"
require_relative "session"
require_relative "surroundings"

module SideBySide
  def self.main(argv)
    options = Options.parse(argv)
    $stdout.sync = true
    Dir.mktmpdir("footplate-bench-redis") do |dir|
      redis = Redis.new(dir)
      compare(options, redis)
    ensure
      redis&.stop
    end
  rescue Error => e
    abort "bin/bench: #{e.message}"
  rescue Interrupt
    abort "bin/bench: interrupted"
  end

  def self.compare(options, redis)
    surroundings = Surroundings.new(redis)
    results = Session.new(options, redis, Progress.new($stderr)).call
    report = Report.new(options, results, surroundings)
    report.print($stdout)
    report.write(options.json) if options.json
    exit 1 if results.any?(&:void)
  end
  private_class_method :compare
end
