# frozen_string_literal: true

require "fileutils"
require "shellwords"
require "tmpdir"
require_relative "../../support/child_process"

##
# A worker process, Footplate or the real Sidekiq, over an application file and a Redis, in a folder of its own.
class ServerProcess < ChildProcess
  ROOT = File.expand_path("../../..", __dir__)
  FOOTPLATE = ENV.fetch("FOOTPLATE_SERVER", File.join(ROOT, "bin/footplate")).shellsplit.freeze
  SIDEKIQ = %w[sidekiq].freeze

  attr_reader :dir

  # @param app [String] a Ruby file
  # @param tuning [Hash] for config/footplate.yml
  def initialize(app:, redis:, ledger:, program: FOOTPLATE, arguments: [], tuning: {}, env: {})
    @redis = redis
    @dir = Dir.mktmpdir("footplate-chaos")
    write_tuning(tuning)
    all = { "REDIS_URL" => redis.url, "LEDGER" => ledger.socket, "LC_ALL" => "C.UTF-8" }.merge(env)
    super([*program, "-r", app, *arguments], env: all, dir: @dir)
  end

  # Until it is in the registry. It may die before.
  def await_ready(within: 60)
    eventually("a registered process", within: within) { identity(@redis) || !alive? }
    self
  end

  # @return [Array<String>] what it was in possession of
  def kill
    return [] unless pid

    signal(:KILL)
    wait
    held
  end

  # To be asked when it has ended or is suspended: see {OwnRedis#held_by}.
  def held
    @redis.held_by(pid)
  end

  # And removes its folder.
  def discard
    super
    FileUtils.rm_rf(@dir)
  end

  private

  def write_tuning(tuning)
    return if tuning.empty?

    FileUtils.mkdir_p(File.join(@dir, "config"))
    File.write(File.join(@dir, "config/footplate.yml"), tuning.map { |key, value| "#{key}: #{value}\n" }.join)
  end
end
