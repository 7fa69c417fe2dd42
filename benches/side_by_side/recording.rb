# frozen_string_literal: true

require "json"
require_relative "curves"
require_relative "session"

module SideBySide
  ##
  # Everything that a session measured, and where, as a file keeps it.
  class Recording
    # @return [Array<Session::Result>]
    attr_reader :results
    # @return [Hash{Symbol => Object}]
    attr_reader :surroundings

    # @param path [String] of a file that {#write} wrote
    def self.read(path)
      content = JSON.parse(File.read(path), symbolize_names: true)
      results = content.fetch(:runs).map do |run|
        Session::Result.new(**run, engine: run.fetch(:engine).to_sym)
      end
      new(results, content.fetch(:surroundings))
    rescue SystemCallError, JSON::ParserError, KeyError => e
      raise Error, "cannot read #{path}: #{e.message}"
    end

    def initialize(results, surroundings)
      @results = results
      @surroundings = surroundings
    end

    # What differs between two sessions that measure the same thing.
    CHANGING = %i[date load_average].freeze

    # @raise [Error] unless figures taken in these surroundings may stand beside those of this recording
    def expect(others)
      differing = (surroundings.keys | others.keys).find do |fact|
        !CHANGING.include?(fact) && surroundings[fact] != others[fact]
      end
      return unless differing

      raise Error, "cannot add to a recording of another #{differing}: #{surroundings[differing]}, " \
                   "now #{others[differing]}"
    end

    # @param other [Recording] whose loads take the place of the same ones here
    # @return [Recording] of both, dated by this one, with the busier machine of both
    def with(other)
      expect(other.surroundings)
      measured = other.results.map(&:load).uniq
      kept = results.reject { |result| measured.include?(result.load) }
      busy = [self, other].map { |it| it.surroundings[:load_average] }.max_by(&:first)
      Recording.new(kept + other.results, { **surroundings, load_average: busy })
    end

    # @return [Array<Load>]
    def loads
      names = results.map(&:load).uniq
      [*LOADS, *CURVES.flat_map(&:points)].select { |load| names.include?(load.name) }
    end

    # @return [Integer] the most runs of an engine over a load
    def pairs
      results.map(&:pair).max.to_i + 1
    end

    # @return [String] the operating system, short
    def system
      surroundings.fetch(:os).sub(" GNU/Linux", "").sub(/ \(.*/, "").sub("forky/sid", "testing")
    end

    def write(path, report)
      content = { surroundings: surroundings, runs: results.map { |result| result.to_h.compact },
                  targets: report.judged_targets }
      File.write(path, "#{JSON.pretty_generate(content)}\n")
    end
  end
end
