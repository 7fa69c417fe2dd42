# frozen_string_literal: true

require "logger"
require "time"
require "footplate/server/text/log_text"

module Footplate
  module Server
    module Facade
      ##
      # The log of an application that has neither the sidekiq gem nor a logger of its own. Its lines look like
      # the engine's, which has the same file descriptor: Sidekiq 8's layout, coloured on a terminal only.
      class DefaultLogger < ::Logger
        COLOURS = { "DEBUG" => 32, "INFO" => 34, "WARN" => 33, "ERROR" => 31, "FATAL" => 35 }.freeze

        def self.colour?
          $stdout.tty? && ENV["NO_COLOR"].to_s.empty?
        end

        def initialize
          super($stdout, level: INFO)
          colour = self.class.colour?
          # Heroku puts a time before each line by itself.
          stamp = ENV["DYNO"].nil?
          self.formatter = @own_formatter = lambda do |severity, time, _program, message|
            level = colour ? "\e[1;#{COLOURS.fetch(severity, 0)}m#{severity.ljust(5)}\e[0m" : severity
            moment = time.utc.iso8601(3) if stamp
            "#{[level, moment, "pid=#{Process.pid}", "tid=#{tid}", *context].compact.join(" ")}: #{text(message)}\n"
          end
        end

        # Whether the application left it as it is.
        def own_formatter?
          formatter.equal?(@own_formatter) && singleton_methods.empty?
        end

        private

        def tid
          Thread.current["sidekiq_tid"] ||= (Thread.current.object_id ^ Process.pid).to_s(36)
        end

        # About the job that this thread runs; under the gem's key, where others look for it.
        def context
          (Thread.current[:sidekiq_context] || {}).map do |key, value|
            value = LogText.visible(value)
            "#{key}=#{value.is_a?(Array) ? value.join(",") : value}"
          end
        end

        def text(message)
          message.is_a?(Exception) ? message.full_message(highlight: false) : message
        end
      end
    end
  end
end
