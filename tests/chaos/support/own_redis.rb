# frozen_string_literal: true

require "fileutils"
require_relative "../../../ruby/spec/support/redis_server"

##
# A redis-server that may be hurt: killed and started again from its append-only file, stopped, made read-only.
class OwnRedis < RedisServer
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

  # @param payloads [Array<String>] the first is popped first
  def push(queue, payloads)
    call("SADD", "queues", queue)
    payloads.each_slice(1_000) { |slice| call("LPUSH", "queue:#{queue}", *slice) }
  end

  def keys(pattern)
    call("KEYS", pattern)
  end

  # A table's payloads: a field has one, or those of a parcel, or is empty: a large one has a list of its own.
  PAYLOADS = <<~LUA
    local found, all = {}, redis.call('HGETALL', KEYS[1])
    local large = string.gsub(KEYS[1], 'inflight', 'large', 1) .. ':'
    for i = 1, #all, 2 do
      if string.match(all[i], '^%d+%+') then
        for _, payload in ipairs(cmsgpack.unpack(all[i + 1])) do found[#found + 1] = payload end
      elseif string.match(all[i], '^%d+:') then
        local own = all[i + 1] == '' and redis.call('LINDEX', large .. string.match(all[i], '^%d+'), 0)
        found[#found + 1] = own or all[i + 1]
      end
    end
    return found
  LUA

  # Payloads in the in-flight tables whose holder's name contains `part`.
  def inflight(part = "")
    keys("footplate:inflight:*#{part}*").flat_map { |key| call("EVAL", PAYLOADS, 1, key) }
  end

  # In one step, since a job may move from where one looks next to where one has just looked.
  ON_THEIR_WAY = <<~LUA
    local count = redis.call('ZCOUNT', 'schedule', '-inf', ARGV[1]) + redis.call('ZCARD', 'footplate:orphans')
    for _, pattern in ipairs({'queue:*', 'footplate:handoff:*'}) do
      for _, name in ipairs(redis.call('KEYS', pattern)) do count = count + redis.call('LLEN', name) end
    end
    for _, name in ipairs(redis.call('KEYS', 'footplate:inflight:*')) do
      for _, field in ipairs(redis.call('HKEYS', name)) do
        if string.sub(field, 1, 1) ~= '#' then count = count + 1 end
      end
    end
    return count
  LUA

  # Jobs in a queue or a table, or due within an hour, and holders that are yet to be recovered.
  def unfinished
    call("EVAL", ON_THEIR_WAY, 0, Time.now.to_f + 3_600)
  end

  private

  def eventually_loaded
    call("PING")
  rescue Error => e
    e.message.start_with?("LOADING") ? retry : raise
  end
end
