# frozen_string_literal: true

module Demo
  # One line that is redrawn on a terminal; elsewhere (a log, CI) a plain line every few seconds.
  class Progress
    EVERY = 3

    def initialize(out: $stdout, tty: out.tty?)
      @out = out
      @tty = tty
      @shown_at = -EVERY
      @open = false
    end

    def step(text)
      finish
      @out.puts(text)
      @out.flush
    end

    def show(text)
      return show_line(text) if @tty
      return if Demo.now - @shown_at < EVERY

      @shown_at = Demo.now
      @out.puts("  #{text}")
      @out.flush
    end

    def finish
      @out.puts if @open
      @open = false
    end

    private

    def show_line(text)
      @out.print("\r\e[K  #{text}")
      @out.flush
      @open = true
    end
  end

  # With commas: 7,000.
  def self.number(value)
    value.to_s.reverse.scan(/\d{1,3}/).join(",").reverse
  end
end
