# frozen_string_literal: true

require_relative "../../../ruby/spec/support/installed_gems"

module Conformance
  # The Sidekiq that is installed here, whose behaviour is the measure.
  module Generation
    def self.version
      @version ||= Gem::Specification.find_all_by_name("sidekiq").map(&:version).max
    end

    def self.at_least?(wanted)
      version && version >= Gem::Version.new(wanted)
    end

    # Times in payloads are integer milliseconds, not float seconds.
    def self.milliseconds?
      version.nil? || at_least?("8")
    end
  end
end
