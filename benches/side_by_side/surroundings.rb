# frozen_string_literal: true

require "etc"
require "json"
require_relative "engines"

module SideBySide
  ##
  # What a figure is worth nothing without: versions, machine, day, and how busy the machine was with other things.
  class Surroundings
    def initialize(redis)
      @redis_version = redis.version
      @load_before = load_average
      @started = Time.now
      @commit = commit # while the session runs, the checkout may move on
    end

    def to_h
      { date: @started.strftime("%Y-%m-%d %H:%M"), commit: @commit, footplate: footplate, ruby: RUBY_DESCRIPTION,
        sidekiq: gem_version("sidekiq"), activejob: gem_version("activejob"), json: gem_version("json"),
        redis: @redis_version, cpu: cpu, cores: Etc.nprocessors, kernel: Etc.uname[:release], os: os,
        load_average: [@load_before, load_average] }
    end

    # @param facts [Hash] what to_h returned
    def self.lines(facts)
      ["#{facts[:date]}, #{facts[:cpu]} (#{facts[:cores]} cores), #{facts[:os]}, Linux #{facts[:kernel]}",
       "Footplate #{facts[:footplate]} (#{facts[:commit]}), Sidekiq #{facts[:sidekiq]}, Active Job " \
       "#{facts[:activejob] || "not installed"}, json #{facts[:json]}, Redis #{facts[:redis]}",
       facts[:ruby], *busy(facts[:load_average])]
    end

    # In one line.
    # @param all [Array<Hash>] of the sessions that figures come from, all of one machine
    def self.footer(all)
      each = ->(fact) { all.map { |facts| facts[fact] }.uniq.join(", ") }
      "#{all.map { |facts| facts[:date][/\S+/] }.uniq.join(", ")}, Footplate #{each[:footplate]} (#{each[:commit]}), " \
        "Sidekiq #{each[:sidekiq]}, #{all.last[:ruby][/\Aruby [\d.]+/].capitalize}, Redis #{each[:redis]}, " \
        "#{all.last[:os].sub(" GNU/Linux", "")}, #{all.last[:cores]} cores"
    end

    # The benchmark itself keeps at most all cores busy.
    def self.busy(averages)
      return [] if averages.first < 0.5

      ["NOTE: the machine was busy with other things (load average #{averages.first} before the first run)"]
    end
    private_class_method :busy

    private

    def load_average
      File.read("/proc/loadavg").to_f
    end

    def footplate
      File.read(File.join(Engines::ROOT, "ruby/lib/footplate/version.rb"))[/VERSION = "(.*)"/, 1]
    end

    # A copy of a checkout, as bin/matrix makes it, is told which one it is.
    def commit
      told = ENV["FOOTPLATE_COMMIT"].to_s
      return told unless told.empty?

      git = ["git", "-C", Engines::ROOT, "describe", "--always", "--exclude", "*", "--dirty"]
      commit = IO.popen(git, err: File::NULL, &:read).strip
      commit.empty? ? "no checkout" : commit
    rescue Errno::ENOENT
      "no git"
    end

    def gem_version(name)
      Gem::Specification.select { |spec| spec.name == name }.map(&:version).max&.to_s
    end

    def cpu
      File.read("/proc/cpuinfo")[/^model name\s*: (.*)$/, 1] || RbConfig::CONFIG["host_cpu"]
    end

    def os
      File.read("/etc/os-release")[/^PRETTY_NAME="(.*)"$/, 1]
    end
  end
end
