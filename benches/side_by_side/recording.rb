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

    # @param options [Options] its `from`; the loads become those of the file
    def self.read(options)
      content = JSON.parse(File.read(options.from), symbolize_names: true)
      results = content.fetch(:runs).map do |run|
        Session::Result.new(**run, engine: run.fetch(:engine).to_sym)
      end
      names = results.map(&:load).uniq
      options.loads = [*LOADS, *CURVES.flat_map(&:points)].select { |load| names.include?(load.name) }
      new(results, content.fetch(:surroundings))
    rescue SystemCallError, JSON::ParserError, KeyError => e
      raise Error, "cannot read #{options.from}: #{e.message}"
    end

    def initialize(results, surroundings)
      @results = results
      @surroundings = surroundings
    end

    def write(path, report)
      content = { surroundings: surroundings, runs: results.map { |result| result.to_h.compact },
                  targets: report.judged_targets }
      File.write(path, "#{JSON.pretty_generate(content)}\n")
    end
  end
end
