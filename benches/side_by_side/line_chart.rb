# frozen_string_literal: true

require_relative "axis"
require_relative "svg"

module SideBySide
  ##
  # A line per engine over what grows (by how often it doubles), with the range over the runs. Upwards from zero, or by
  # factors of ten.
  class LineChart
    WIDTH = 760
    HEIGHT = 400
    BOX = { left: 84, right: 730, top: 92, bottom: 318 }.freeze
    STEPS = 4

    # @param series [Hash{Symbol => Hash{Numeric => Spread}}] by engine, by place on the x axis
    def initialize(title, across, upwards, footer, series, tens: false)
      @title = title
      @across = across
      @upwards = upwards
      @footer = footer
      @series = series
      @tens = tens
      @places = series.values.flat_map(&:keys).uniq.sort
    end

    def to_s
      @svg = Svg.new(WIDTH, HEIGHT, @title)
      @svg.text(20, 32, @title, size: 18, bold: true)
      @svg.text(20, 54, "#{@upwards}; bars: range over the runs", fill: Svg::FAINT)
      @svg.legend(20, 78, @series.keys.to_h { |engine| [engine, Engines::TITLES.fetch(engine)] })
      grid
      @series.each { |engine, spreads| draw(spreads, Svg::COLORS.fetch(engine)) }
      @svg.text(20, HEIGHT - 14, @footer, size: 11, fill: Svg::FAINT)
      @svg.to_s
    end

    private

    def grid
      steps.each do |value|
        @svg.line([BOX[:left], up.place(value)], [BOX[:right], up.place(value)])
        @svg.text(BOX[:left] - 10, up.place(value) + 4, Axis.short(value), size: 12, anchor: "end")
      end
      @places.each do |place|
        @svg.text(along.place(place), BOX[:bottom] + 20, Axis.short(place), size: 12, anchor: "middle")
      end
      @svg.text((BOX[:left] + BOX[:right]) / 2, BOX[:bottom] + 42, @across, fill: Svg::FAINT, anchor: "middle")
    end

    def draw(spreads, color)
      @svg.path(spreads.map { |place, spread| [along.place(place), up.place(spread.median)] }, color)
      spreads.each do |place, spread|
        left = along.place(place)
        @svg.line([left, up.place(spread.low)], [left, up.place(spread.high)], stroke: color, width: 2)
        @svg.dot(left, up.place(spread.median), color)
      end
    end

    # Numbers on the y axis.
    def steps
      @steps ||= begin
        spreads = @series.values.flat_map(&:values)
        top = spreads.map(&:high).max
        @tens ? Axis.powers(spreads.map(&:low).min, top) : Array.new(STEPS + 1) { Axis.round_up(top) * _1 / STEPS }
      end
    end

    def up
      @up ||= Axis.new(steps.first, steps.last, BOX[:bottom], BOX[:top], logarithmic: @tens)
    end

    def along
      @along ||= Axis.new(@places.first, @places.last, BOX[:left] + 20, BOX[:right] - 20, logarithmic: true)
    end
  end
end
