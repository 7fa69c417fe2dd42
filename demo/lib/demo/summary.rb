# frozen_string_literal: true

require_relative "progress"

module Demo
  # The end of the run: what was enqueued against what happened.
  class Summary
    FAILS_ONCE = %w[payment stock].freeze # payment by the retry set, stock by Active Job's retry_on
    FAILS_FOR_GOOD = %w[fraud].freeze

    attr_reader :problems

    def initialize(books, pace:)
      @kinds = Ledger.read(Ledger::EXPECTED)
      @effects = Ledger.read(Ledger::EFFECTS).transform_values(&:to_i)
      @attempts = Ledger.read(Ledger::ATTEMPTS).transform_values(&:to_i)
      @lateness = Ledger.read(Ledger::LATENESS).values.map(&:to_f).sort
      @dead = books.dead_ids & @kinds.keys
      @counters = books.counters
      @left = books.left
      @pace = pace
      @problems = find_problems
    end

    def lost
      @lost ||= @kinds.keys - @effects.keys - @dead
    end

    def doubled
      @doubled ||= @effects.select { |_, count| count > 1 }.keys
    end

    def to_s
      rows.map { |name, value, note| format("  %-10<name>s %9<value>s   %<note>s", name:, value:, note:).rstrip }
          .join("\n")
    end

    private

    def rows
      [["enqueued", number(@kinds.size),
        "#{number(@kinds.size - active_job)} Sidekiq jobs, #{number(active_job)} Active Job"],
       ["run", number(@effects.size), "counted by the ledger, one counter per job"],
       ["failed", number(@counters[:failed]), "attempts that Sidekiq's counter saw raise"],
       ["retried", number(retried.size),
        "#{kind_count(retried, "payment")} by the retry set, #{kind_count(retried, "stock")} by retry_on"],
       ["scheduled", number(@lateness.size), "late by #{lateness}"],
       ["dead", number(@dead.size), "of #{number(of(FAILS_FOR_GOOD).size)} that may not be retried"],
       ["lost", number(lost.size), lost.first(5).join(", ")],
       ["doubled", number(doubled.size), doubled.first(5).join(", ")],
       ["jobs/s", number((@pace[:jobs] / @pace[:seconds]).round), speed]]
    end

    def speed
      format("%<jobs>s waiting jobs in %<seconds>.2f s", jobs: number(@pace[:jobs]), seconds: @pace[:seconds])
    end

    def find_problems
      found = []
      found << "#{lost.size} jobs are lost" if lost.any?
      found << "#{doubled.size} jobs had their effect more than once" if doubled.any?
      found << "jobs are left in #{left}" if @left.any?
      mortal = of(FAILS_FOR_GOOD)
      found << "the dead set does not hold exactly the jobs that may not be retried" if @dead.sort != mortal.sort
      wrong = @kinds.keys.reject { |id| @attempts[id] == expected_attempts(id) }
      found << "#{wrong.size} jobs were tried too often or too seldom: #{wrong.first(5).join(", ")}" if wrong.any?
      compare(found, :processed, @kinds.keys.sum { |id| expected_attempts(id) })
      compare(found, :failed, of(%w[payment fraud]).size)
      found
    end

    def compare(found, counter, expected)
      value = @counters[counter]
      found << "the counter #{counter} says #{value}, expected #{expected}" if value != expected
    end

    def expected_attempts(id)
      FAILS_ONCE.include?(@kinds[id]) ? 2 : 1
    end

    def left
      @left.map { |place, count| "the #{place} (#{count})" }.join(", ")
    end

    def of(kinds)
      @kinds.select { |_, kind| kinds.include?(kind) }.keys
    end

    def kind_count(ids, kind)
      ids.count { |id| @kinds[id] == kind }
    end

    def retried
      @retried ||= @attempts.select { |id, count| count > 1 && FAILS_ONCE.include?(@kinds[id]) }.keys
    end

    def active_job
      of(%w[shipment shipment-all stock survey]).size
    end

    def lateness
      return "-" if @lateness.empty?

      format("p50 %<p50>.1f ms, p99 %<p99>.1f ms, at most %<max>.1f ms",
             p50: percentile(50), p99: percentile(99), max: @lateness.last)
    end

    def percentile(percent)
      @lateness[[(@lateness.size * percent / 100.0).ceil - 1, 0].max]
    end

    def number(value)
      Demo.number(value)
    end
  end
end
