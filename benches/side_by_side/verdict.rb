# frozen_string_literal: true

require_relative "summary"
require_relative "table"

module SideBySide
  ##
  # Whether a target is reached, with the figure and its range.
  #
  # shown::   the figure, or "" if there is none
  # reached:: true, false, or nil if there is none
  # void::    there is none because all runs are void
  Verdict = Struct.new(:shown, :reached, :void, keyword_init: true) do
    # @param summary [Summary, nil] of the target's load
    def self.of(summary, target)
      range = summary&.range(target.figure)
      return new(shown: "", void: summary&.void&.any?) unless range

      shown = "#{number(range.median, target.value)} (#{number(range.low)} to #{number(range.high)})"
      new(shown: shown, reached: target.reached?(range.median))
    end

    # With a digit more where it would otherwise read like the target itself.
    def self.number(value, target = nil)
      digits = { 10 => 2, 1_000 => 1 }.find { |below, _| value < below }&.last || 0
      digits += 1 if target && value != target && value.round(digits) == target
      Table.number(value, "%<n>.#{digits}f")
    end
    private_class_method :number

    # The figure and the verdict.
    def cells
      [shown, words]
    end

    def words
      return void ? "void" : "not measured" if reached.nil?

      reached ? "reached" : "not reached"
    end

    # In one cell.
    def cell
      case reached
      when nil then words
      when true then shown
      else "**#{shown}**, not reached"
      end
    end
  end
end
