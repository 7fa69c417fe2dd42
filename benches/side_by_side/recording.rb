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
