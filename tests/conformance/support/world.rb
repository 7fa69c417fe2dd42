# frozen_string_literal: true

require "fileutils"
require "json"
require "open3"
require "securerandom"
require "tmpdir"
require_relative "application"
require_relative "server_process"
require_relative "../../support/clean_environment"
require_relative "../../support/own_redis"
require_relative "../../support/waiting"

module Conformance
  ##
  # A Redis, a folder with an application, and the servers that work there. All of it ends with `close`.
  class World
    include Waiting

    attr_reader :redis, :dir, :servers

    # @param app [String] the code of the jobs, after the prelude
    # @param files [Hash{String => String}] more files for the folder
    def initialize(door, app = "", files: {}, redis: OwnRedis.start)
      @door = door
      @redis = redis
      @servers = []
      @dir = File.realpath(Dir.mktmpdir("footplate-conformance"))
      { "app.rb" => Application::PRELUDE + app }.merge(files).each { |path, content| write(path, content) }
    end

    def write(path, content)
      target = File.join(dir, path)
      FileUtils.mkdir_p(File.dirname(target))
      File.binwrite(target, content)
    end

    # Starts a server without waiting for anything.
    # @param command [Array<String>] another program than the door's
    def spawn(*flags, env: {}, require: "./app.rb", command: nil)
      all = environment.merge(@door.env).merge(env)
      typed = [*(command || @door.command), *(["-r", require] if require), *flags]
      servers << ServerProcess.new(typed, env: all, dir: dir, log: path("log-#{servers.size}"))
      servers.last.start
    end

    # Starts a server and returns it once it has announced itself in Redis.
    def start(*flags, **options)
      server = spawn(*flags, **options)
      eventually("the server to start") do
        identity(server) || (server.alive? ? nil : raise("it ended:\n#{server.tail}"))
      end
      server
    end

    # Starts a server that will not run, and returns it when it has ended.
    def fail_to_start(*flags, **options)
      spawn(*flags, **options).tap { |server| server.stop(nil) }
    end

    # Runs the application's file as a client would, to its end. Returns what it printed.
    def client(file, *arguments, requires: [], env: {})
      all = environment.merge(env)
      flags = ["-I#{Door::LIB}", *requires.map { |name| "-r#{name}" }]
      out, status = Open3.capture2e(all, RbConfig.ruby, *flags, file, *arguments, chdir: dir)
      status.success? ? out : raise("#{file} ended with #{status.exitstatus}:\n#{out}")
    end

    def identity(server = servers.last)
      server.identity(redis)
    end

    def eventually(what, within: ServerProcess::PATIENCE, &block)
      super
    end

    def circumstances
      servers.last&.tail
    end

    # What the jobs did, in order: the arguments of their calls of `effect`.
    def effects(first = nil)
      return [] unless File.exist?(path("effects"))

      all = File.readlines(path("effects"), encoding: "UTF-8").map { |line| JSON.parse(line) }
      first ? all.select { |effect| effect.first == first }.map { |effect| effect.drop(1) } : all
    end

    # Waits until jobs have left this many effects.
    def await_effects(count, first = nil)
      eventually("#{count} effects#{" of #{first}" if first}; there are #{effects.inspect[0, 2000]}") do
        effects(first).size >= count
      end
      effects(first)
    end

    # Lets a job go on that called `hold(name)`.
    def release(name)
      write(name, "")
    end

    def path(name)
      File.join(dir, name)
    end

    def environment
      CleanEnvironment.without.merge("REDIS_URL" => redis.url, "EFFECTS" => path("effects"), "HOLDS" => dir)
    end

    def close
      servers.each(&:discard)
      redis.stop
      FileUtils.remove_entry(dir)
    end
  end
end
