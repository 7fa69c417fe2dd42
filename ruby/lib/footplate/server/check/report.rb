# frozen_string_literal: true

module Footplate
  module Server
    class Check
      ##
      # Writes lines for a person: a name, and what there is to say. Coloured on a terminal unless NO_COLOR is
      # set; plain text with the same words elsewhere.
      class Report
        WIDTH = 13

        def initialize(out)
          @out = out
          @colour = out.tty? && ENV["NO_COLOR"].to_s.empty?
          @warnings = 0
        end

        def title(text)
          @out.puts paint(1, text), ""
        end

        def section(text = nil)
          @out.puts ""
          @out.puts paint(1, text), "" if text
        end

        def line(name, text)
          @out.puts "  #{paint(2, name.ljust(WIDTH))}#{" " if name.size >= WIDTH}#{text}"
        end

        def remark(text)
          @out.puts "  - #{text}"
        end

        def warning(text)
          @warnings += 1
          @out.puts "  #{paint(33, "!")} #{text}"
        end

        def failure(text)
          @out.puts "  #{paint(31, "x #{text}")}"
        end

        def success(text)
          @out.puts "  #{paint(32, text)}"
        end

        def warnings?
          @warnings.positive?
        end

        private

        def paint(code, text)
          @colour && !text.empty? ? "\e[#{code}m#{text}\e[0m" : text
        end
      end
    end
  end
end
