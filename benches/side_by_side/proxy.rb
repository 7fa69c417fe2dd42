# frozen_string_literal: true

require "fileutils"
require_relative "engines"

module SideBySide
  ##
  # A process that lengthens each round trip to Redis by a time (examples/delay_proxy.rs). It is compiled here, which
  # takes a second.
  class Proxy
    SOURCE = File.join(Engines::ROOT, "examples/delay_proxy.rs")
    BINARY = File.join(Engines::ROOT, "target/delay_proxy")

    attr_reader :url

    def initialize(redis_url, milliseconds)
      build
      port = redis_url[%r{:(\d+)/}, 1]
      @io = IO.popen([BINARY, port, (milliseconds * 1_000).round.to_s], "r+", pgroup: true)
      listening = @io.gets or raise Error, "the delay proxy did not start"
      @url = redis_url.sub(":#{port}/", ":#{listening.strip}/")
    end

    # It ends with its standard input.
    def stop
      @io.close
    end

    private

    def build
      return if File.exist?(BINARY) && File.mtime(BINARY) >= File.mtime(SOURCE)

      FileUtils.mkdir_p(File.dirname(BINARY))
      made = "#{BINARY}.#{Process.pid}"
      system("rustc", "--edition", "2024", "-C", "opt-level=3", SOURCE, "-o", made) or
        raise Error, "the delay proxy needs rustc, which is missing or failed"
      File.rename(made, BINARY)
    end
  end
end
