# frozen_string_literal: true

require_relative "child"
require_relative "progress"

module Demo
  # Waits for the server to do its work, shows how far it is, and knows when to give up.
  class Patience
    STALLED = 60 # seconds without a job done

    def initialize(books, server, progress)
      @books = books
      @server = server
      @progress = progress
    end

    # Until so many jobs ended, well or in the dead set. Returns when the last of them did.
    def until_ended(count)
      last = [-1, Demo.now]
      until (ended = @books.done + @books.dead_ids.size) >= count
        @server.check!
        last = [ended, Demo.now] if ended != last.first
        break @progress.step("No job ended for #{STALLED} s: waiting no longer.") if Demo.now - last.last > STALLED

        show(ended)
        sleep 0.03
      end
      ended < count ? last.last : Demo.now
    end

    private

    def show(ended)
      @progress.show("#{Demo.number(ended)} of #{Demo.number(@books.expected)} jobs done, #{@books.status}")
    end
  end
end
