# frozen_string_literal: true

require_relative "shared"

module SideBySide
  ##
  # How far it is: a bar on a terminal, a line per step elsewhere.
  class Progress
    include Bench::Clock

    WIDTH = 24

    def initialize(out)
      @out = out
      @live = out.tty?
      @started = now
    end

    # @param done [Integer] steps before this one
    def show(done, total, what)
      passed = now - @started
      return @out.puts("[#{passed.round.to_s.rjust(4)}s] #{done + 1}/#{total} #{what}") unless @live

      full = done * WIDTH / total
      bar = "#{"█" * full}#{"░" * (WIDTH - full)}"
      @out.print("\r\e[K#{bar} #{done}/#{total}#{left(done, total, passed)}  #{what}")
    end

    def say(text)
      clear
      @out.puts(text)
    end

    def clear
      @out.print("\r\e[K") if @live
    end

    private

    # As if the rest went like what is done.
    def left(done, total, passed)
      return "" if done.zero?

      seconds = passed * (total - done) / done
      seconds < 90 ? ", #{seconds.round} s left" : ", #{(seconds / 60).round} min left"
    end
  end
end
