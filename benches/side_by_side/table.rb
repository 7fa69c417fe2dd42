# frozen_string_literal: true

require_relative "engines"
require_relative "summary"

module SideBySide
  ##
  # A table in Markdown: columns as wide as their widest cell, numbers with their spread.
  module Table
    def self.lines(head, rows)
      widths = [head, *rows].transpose.map { |column| column.map(&:size).max }
      line = ->(cells) { "| #{cells.zip(widths).map { |cell, width| cell.ljust(width) }.join(" | ")} |" }
      [line.call(head), "|#{widths.map { |width| "-" * (width + 2) }.join("|")}|", *rows.map { |row| line.call(row) }]
    end

    def self.with_spread(spread, pattern)
      return "void" unless spread

      "#{number(spread.median, pattern)} ± #{(spread.share * 100).round} %"
    end

    def self.number(value, pattern)
      value ? format(pattern, n: value).sub(/(?<!\.)\d{4,}/) { |digits| SideBySide.digits(digits) } : ""
    end
  end
end
