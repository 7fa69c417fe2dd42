# frozen_string_literal: true

require "cgi"

module SideBySide
  ##
  # An SVG document as text: as much as charts need. It has a background of its own, so that it reads the same on a
  # light page and on a dark one.
  class Svg
    FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
    PAPER = "#ffffff"
    INK = "#1f2328"
    FAINT = "#59636e"
    RULE = "#d1d9e0"
    # Of the engines; far enough apart in brightness to be told apart without colours.
    COLORS = { gem: "#0b5cad", embedded: "#5aa9e6", sidekiq: "#d9822b" }.freeze

    def initialize(width, height, title)
      @width = width
      @height = height
      @title = title
      @parts = []
    end

    def text(left, top, content, size: 13, fill: INK, anchor: "start", bold: false)
      add("text", { x: left, y: top, "font-size": size, fill: fill, "text-anchor": anchor,
                    "font-weight": bold ? 600 : 400 }, content)
    end

    def rect(left, top, width, height, fill)
      add("rect", { x: left, y: top, width: [width, 1].max, height: height, rx: 2, fill: fill })
    end

    def line(from, to, stroke: RULE, width: 1, dash: nil)
      add("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke: stroke, "stroke-width": width,
                    "stroke-dasharray": dash })
    end

    def path(points, stroke)
      add("polyline", { points: points.map { |point| point.map { round(_1) }.join(",") }.join(" "), fill: "none",
                        stroke: stroke, "stroke-width": 2.5, "stroke-linejoin": "round" })
    end

    def dot(left, top, color, hollow: false)
      add("circle", { cx: left, cy: top, r: 4.5, fill: hollow ? PAPER : color, stroke: color, "stroke-width": 2 })
    end

    # Coloured names in a row.
    def legend(left, top, names)
      names.reduce(left) do |at, (engine, name)|
        rect(at, top - 10, 12, 12, COLORS.fetch(engine))
        text(at + 18, top, name)
        at + 40 + (name.size * 7.2)
      end
    end

    def to_s
      <<~SVG
        <svg xmlns="http://www.w3.org/2000/svg" width="#{@width}" height="#{@height}" viewBox="0 0 #{@width} #{@height}" font-family="#{FONT}" role="img">
        <title>#{CGI.escapeHTML(@title)}</title>
        <rect x="0.5" y="0.5" width="#{@width - 1}" height="#{@height - 1}" rx="6" fill="#{PAPER}" stroke="#{RULE}"/>
        #{@parts.join("\n")}
        </svg>
      SVG
    end

    private

    def add(name, attributes, content = nil)
      written = attributes.compact.map { |key, value| %(#{key}="#{value.is_a?(Numeric) ? round(value) : value}") }
      @parts << "<#{name} #{written.join(" ")}#{content ? ">#{CGI.escapeHTML(content)}</#{name}>" : "/>"}"
    end

    def round(number)
      number.round(1).to_s.delete_suffix(".0")
    end
  end
end
