# frozen_string_literal: true

require_relative "svg"

module SideBySide
  ##
  # A bar per row, as long as its number, with a mark where it is aimed at.
  class BarChart
    Row = Struct.new(:title, :value, :target, keyword_init: true)

    LEFT = 270
    RIGHT = 90
    WIDTH = 860
    TOP = 78
    ROW = 34

    def initialize(title, subtitle, footer, rows)
      @title = title
      @subtitle = subtitle
      @footer = footer
      @rows = rows
    end

    def to_s
      bottom = TOP + (@rows.size * ROW)
      svg = Svg.new(WIDTH, bottom + 46, @title)
      svg.text(20, 32, @title, size: 18, bold: true)
      svg.text(20, 54, @subtitle, fill: Svg::FAINT)
      svg.line([LEFT, TOP - 8], [LEFT, bottom], stroke: Svg::FAINT)
      @rows.each_with_index { |row, index| bar(svg, row, TOP + (index * ROW)) }
      svg.text(20, bottom + 28, @footer, size: 11, fill: Svg::FAINT)
      svg.to_s
    end

    private

    def bar(svg, row, top)
      svg.text(LEFT - 10, top + 15, row.title, anchor: "end")
      svg.rect(LEFT, top, scale(row.value), 20, Svg::COLORS.fetch(:gem))
      end_of_bar = [row.value, row.target || 0].max
      svg.text(LEFT + scale(end_of_bar) + 8, top + 15, "#{format("%.1f", row.value)} ×", bold: true)
      return unless row.target

      aim = LEFT + scale(row.target)
      svg.line([aim, top - 4], [aim, top + 24], stroke: Svg::INK, width: 2, dash: "3 2")
    end

    def scale(value)
      highest = @rows.flat_map { |row| [row.value, row.target || 0] }.max
      value * (WIDTH - LEFT - RIGHT) / highest.to_f
    end
  end
end
