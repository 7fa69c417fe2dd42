# frozen_string_literal: true

module SideBySide
  ##
  # Some jobs come due, at a rate, beside many in the same set that are due another day; what counts is how late each
  # starts.
  class ScheduledRun < Run
    # Until the first is due. Sidekiq looks for the first time 10 to 15 s after its start; what it does then is what it
    # does all day.
    AHEAD = { sidekiq: 16 }.freeze
    ANOTHER_DAY = 86_400

    # In the server, so that a million take seconds.
    FAR = <<~LUA
      for number = ARGV[1], ARGV[2] do
        redis.call('ZADD', KEYS[1], ARGV[3] + number / 1000, string.format(
          '{"retry":true,"queue":"default","class":"NoopJob","args":[%d,1.5],"jid":"%024x","created_at":%.3f}',
          number, number, ARGV[3]))
      end
    LUA

    private

    def fill
      far = Time.now.to_i + ANOTHER_DAY
      (1..@load.far).each_slice(50_000) do |numbers|
        @redis.call("EVAL", FAR, 1, "schedule", numbers.first, numbers.last, far)
      end
    end

    # The times of the set are Redis's and the wall's, the ledger's clock is the machine's.
    def go
      start = now + AHEAD.fetch(@engine, 2)
      wall = Time.now.to_f - now
      members = Array.new(@jobs) do |number|
        due = start + (number.to_f / @load.rate)
        [due + wall, Payloads.job(@load.kind, number, due)]
      end
      members << [members.last.first + 0.1, Payloads.plain("LastJob")]
      members.each_slice(1_000) { |slice| @redis.call("ZADD", "schedule", *slice.flatten) }
    end

    def special(finish)
      Bench.percentiles(finish[:waits])
    end
  end
end
