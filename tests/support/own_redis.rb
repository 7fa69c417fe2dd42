# frozen_string_literal: true

require "fileutils"
require_relative "job_store"
require_relative "redis_server"

##
# A redis-server that may be hurt: killed and started again from its append-only file, stopped, made read-only.
class OwnRedis < RedisServer
  include JobStore

  DURABLE = %w[--appendonly yes --appendfsync always].freeze

  def self.durable
    start(*DURABLE)
  end

  # Dies as by the kernel's hand, and comes back with what its append-only file has.
  def crash
    Process.kill(:KILL, pid)
    Process.wait(pid)
    @io = nil
    FileUtils.rm_f(socket)
    yield if block_given?
    start
    eventually_loaded
  end

  # Hangs for as long as the block takes.
  def hang
    Process.kill(:STOP, pid)
    yield
  ensure
    Process.kill(:CONT, pid)
  end

  def read_only
    call("REPLICAOF", "127.0.0.1", "1")
    yield
  ensure
    call("REPLICAOF", "NO", "ONE")
  end

  def full
    call("CONFIG", "SET", "maxmemory", "1")
    yield
  ensure
    call("CONFIG", "SET", "maxmemory", "0")
  end

  private

  def eventually_loaded
    call("PING")
  rescue Error => e
    e.message.start_with?("LOADING") ? retry : raise
  end
end
