# frozen_string_literal: true

require "json"
require_relative "curves"
require_relative "session"
require_relative "summary"
require_relative "surroundings"

module SideBySide
  ##
  # What was measured on one machine and system, in one session or several, as a file keeps it. Of a load that several
  # sessions measured the last counts; the others stay in the file.
  class Recording
    # surroundings:: [Hash{Symbol => Object}] see Surroundings
    # results::      [Array<Session::Result>]
    Part = Struct.new(:surroundings, :results, keyword_init: true) do
      def loads
        results.map(&:load).uniq
      end

      def to_h
        { surroundings: surroundings, runs: results.map { |result| result.to_h.compact } }
      end
    end

    # What sessions of one recording have in common.
    MACHINE = %i[os cpu cores].freeze

    # @return [Array<Part>]
    attr_reader :parts

    # @param path [String] of a file that {#write} wrote
    def self.read(path)
      parts = JSON.parse(File.read(path), symbolize_names: true).fetch(:sessions).map do |part|
        results = part.fetch(:runs).map { |run| Session::Result.new(**run, engine: run.fetch(:engine).to_sym) }
        Part.new(surroundings: part.fetch(:surroundings), results: results)
      end
      new(parts)
    rescue SystemCallError, JSON::ParserError, KeyError, TypeError, NoMethodError, ArgumentError => e
      raise Error, "cannot read #{path}, which ought to be a file of --json: #{e.message.lines.first.to_s.chomp}"
    end

    def initialize(parts)
      @parts = parts
    end

    # @return [Recording] of both
    # @raise [Error] if the other was made elsewhere
    def with(part)
      differing = MACHINE.find { |fact| parts.any? { |it| it.surroundings[fact] != part.surroundings[fact] } }
      return Recording.new([*parts, part]) unless differing

      raise Error, "cannot add to a recording of another #{differing}: " \
                   "#{parts.last.surroundings[differing]}, now #{part.surroundings[differing]}"
    end

    # @return [Array<Session::Result>] of each load those of its last session
    def results
      parts.flat_map { |part| part.results.select { |result| counting(result.load).equal?(part) } }
    end

    # The loads of a session that count.
    def loads_of(part)
      loads.map(&:name).select { |name| counting(name).equal?(part) }
    end

    # The sessions that the figures of these loads come from.
    # @param names [Array<String>]
    # @return [Array<Part>]
    def parts_of(names)
      names.map { |name| counting(name) }.uniq
    end

    # @return [Array<Load>]
    def loads
      names = parts.flat_map(&:loads)
      [*LOADS, *CURVES.flat_map(&:points)].select { |load| names.include?(load.name) }
    end

    # @return [Array<Summary>]
    def summaries
      by_load = results.group_by(&:load)
      loads.map { |load| Summary.new(load, by_load.fetch(load.name)) }
    end

    # Whether no load was left out.
    def whole?
      (LOADS - loads).empty?
    end

    # @return [String] the operating system, short
    def system
      parts.last.surroundings.fetch(:os).sub(" GNU/Linux", "").sub(/ \(.*/, "").sub("forky/sid", "testing")
    end

    # All of it or, should anything happen, what was there before.
    # @raise [Error]
    def write(path)
      content = { sessions: parts.map(&:to_h), targets: summaries.flat_map(&:judged_targets) }
      File.write("#{path}.new", "#{JSON.pretty_generate(content)}\n")
      File.rename("#{path}.new", path)
    rescue SystemCallError => e
      raise Error, "cannot write #{path}: #{e.message}"
    end

    private

    def counting(load)
      @counting ||= Hash.new { |known, name| known[name] = parts.reverse.find { |part| part.loads.include?(name) } }
      @counting[load]
    end
  end
end
