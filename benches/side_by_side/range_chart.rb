# frozen_string_literal: true

require_relative "axis"
require_relative "svg"

module SideBySide
  ##
  # Per row and engine two numbers with a line between them, on an axis whose steps are factors of ten.
  class RangeChart
    LEFT = 360
    RIGHT = 830
    WIDTH = 860
    TOP = 104
    ROW = 44

    # @param rows [Hash{String => Hash{Symbol => Array(Float, Float)}}] by title, by engine
    def initialize(title, subtitle, unit, footer, rows)
      @title = title
      @subtitle = subtitle
      @unit = unit
      @footer = footer
      @rows = rows
    end

    def to_s
      bottom = TOP + (@rows.size * ROW)
      @svg = Svg.new(WIDTH, bottom + 64, @title)
      @svg.text(20, 32, @title, size: 18, bold: true)
      @svg.text(20, 54, @subtitle, fill: Svg::FAINT)
      @svg.legend(20, 80, @rows.values.flat_map(&:keys).uniq.to_h { |engine| [engine, Engines::TITLES.fetch(engine)] })
      grid(bottom)
      @rows.each_with_index { |(title, ranges), index| row(title, ranges, TOP + (index * ROW)) }
      @svg.text(20, bottom + 50, @footer, size: 11, fill: Svg::FAINT)
      @svg.to_s
    end

    private

    def grid(bottom)
      powers.each do |power|
        place = axis.place(power)
        @svg.line([place, TOP - 6], [place, bottom])
        @svg.text(place, bottom + 18, "#{Axis.short(power)} #{@unit}", size: 12, anchor: "middle")
      end
    end

    def row(title, ranges, top)
      @svg.text(LEFT - 24, top + 24, title, anchor: "end")
      step = ROW / (ranges.size + 1.0)
      ranges.each_with_index do |(engine, (from, to)), index|
        height = top + (step * (index + 1)) - 3
        color = Svg::COLORS.fetch(engine)
        @svg.line([axis.place(from), height], [axis.place(to), height], stroke: color, width: 3)
        @svg.dot(axis.place(from), height, color)
        @svg.dot(axis.place(to), height, color, hollow: true)
      end
    end

    def powers
      numbers = @rows.values.flat_map(&:values).flatten
      Axis.powers(numbers.min, numbers.max)
    end

    def axis
      @axis ||= Axis.new(powers.first, powers.last, LEFT, RIGHT, logarithmic: true)
    end
  end
end
