# frozen_string_literal: true

module Conformance
  ##
  # What every application of these tests begins with.
  module Application
    PRELUDE = <<~'RUBY'
      require "json"
      # One write, so that threads and processes do not mix their lines.
      def effect(*what)
        File.open(ENV.fetch("EFFECTS"), "a") { |file| file.syswrite("#{JSON.generate(what)}\n") }
      end

      # Until the test lets go.
      def hold(name)
        effect("holds", name)
        sleep 0.005 until File.exist?(File.join(ENV.fetch("HOLDS"), name))
        true
      end

      JobModule = defined?(Sidekiq::Job) ? Sidekiq::Job : Footplate::Job

      # The rest of a failed job's family; what it is asked for when it fails is what differs.
      class Failing
        include JobModule
        def perform(*args) = (effect("failing", self.class.name, *args) || true) && raise(ArgumentError, "boom #{args.first}")
      end
    RUBY

    # A Gemfile without the sidekiq gem, for applications that have none.
    def self.gemfile_without_sidekiq(*gems)
      gems.unshift(%w[redis-client redis].find { |name| InstalledGems.has?(name) })
      (["source 'https://rubygems.org'"] + gems.map { |name| "gem #{name.inspect}" }).join("\n")
    end
  end
end
