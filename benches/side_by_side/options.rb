# frozen_string_literal: true

require "optparse"
require_relative "curves"
require_relative "engines"
require_relative "loads"

module SideBySide
  # What was asked for.
  #
  # scale::   factor for the loads' numbers of jobs
  # seconds:: how long jobs are pushed in a latency run
  # budget::  seconds for everything, or nil: a load gets its share, and one pair whatever that takes
  # from::    a file of --json, in place of measuring
  # compare:: several, likewise
  # add::     the file of json, if it exists, keeps what it has
  Options = Struct.new(:loads, :pairs, :jobs, :scale, :seconds, :budget, :doors, :json, :add, :charts, :from, :compare,
                       keyword_init: true) do
    def self.parse(argv)
      options = new(loads: LOADS, pairs: 5, scale: 1.0, seconds: 10)
      parser(options).parse!(argv.dup).tap { |rest| raise Error, "unknown argument: #{rest.first}" if rest.any? }
      %i[pairs jobs seconds].each do |name|
        raise Error, "--#{name} must be positive" unless options[name].nil? || options[name].positive?
      end
      options
    rescue OptionParser::ParseError => e
      raise Error, e.message
    end

    def self.parser(options)
      OptionParser.new("", 26) do |parser|
        parser.banner = "Usage: bin/bench [options]\n\n" \
                        "Footplate and the installed Sidekiq side by side, over a redis-server of its own.\n\n"
        scope(parser, options)
        size(parser, options)
        output(parser, options)
        parser.on("-h", "--help", "this text") { print(parser.help) || exit }
      end
    end

    def self.scope(parser, options)
      names = LOADS.map(&:name)
      parser.on("--only LOADS", Array, "some of:", *in_lines(names)) do |wanted|
        options.loads = LOADS.select { |load| known(wanted, names, "load").include?(load.name) }
      end
      curves = CURVES.map(&:name)
      parser.on("--curves [CURVES]", Array, "in place of the loads: jobs/s or lateness while something grows;",
                "all, or some of:", *in_lines(curves)) do |wanted|
        wanted = known(wanted || curves, curves, "curve")
        options.loads = CURVES.select { |curve| wanted.include?(curve.name) }.flat_map(&:points)
      end
      parser.on("--doors DOORS", Array, "gem,embedded: Footplate's front doors to run (default: both, if built;",
                "the first is the one compared)") do |doors|
        options.doors = doors.map { |door| known_door(door.to_sym) }
      end
    end

    def self.known(wanted, names, what)
      unknown = wanted - names
      raise Error, "unknown #{what}: #{unknown.first} (there are #{names.join(", ")})" if unknown.any?

      wanted
    end

    def self.known_door(door)
      return door if Engines.doors.include?(door)

      raise Error, "no front door named #{door} has been built (there are: #{Engines.doors.join(", ")})"
    end

    def self.in_lines(names)
      names.each_slice(6).map { |some| some.join(",") }
    end

    def self.size(parser, options)
      parser.on("--pairs N", Integer, "runs of each engine, in turn (default: 5)") { |pairs| options.pairs = pairs }
      parser.on("--jobs N", Integer, "jobs per run, for both engines; not where they come at a rate") do |jobs|
        options.jobs = jobs
      end
      parser.on("--seconds N", Float, "how long jobs come, where they do at a rate (default: 10);",
                "at 10/s three times as long") do |seconds|
        options.seconds = seconds
      end
      parser.on("--quick", "a rough answer within two minutes, without:",
                *in_lines(LOADS.select(&:slow).map(&:name))) { quick(options) }
    end

    def self.quick(options)
      options.loads = LOADS.reject(&:slow) if options.loads == LOADS
      options.doors ||= [:gem]
      options.pairs = 2
      options.scale = 0.25
      options.seconds = 2
      options.budget = 95
    end

    def self.output(parser, options)
      parser.on("--json FILE", "write everything measured there") { |file| options.json = file }
      parser.on("--add FILE", "write to FILE, beside what it has already of this machine") do |file|
        options.json = options.add = file
      end
      parser.on("--charts DIR", "draw charts into that folder (SVG)") { |dir| options.charts = dir }
      parser.on("--from FILE", "measure nothing: show what a file of --json has") do |file|
        options.from = file
      end
      parser.on("--compare FILES", Array, "measure nothing: tables of several such files beside each other") do |files|
        options.compare = files
      end
    end
    private_class_method :parser, :scope, :size, :quick, :output, :known, :known_door, :in_lines

    # Jobs of `engine` for `load`.
    def count(load, engine)
      return jobs if jobs && load.jobs.to_i.positive?

      load.count(engine, scale, budget ? seconds : seconds * load.longer)
    end
  end
end
