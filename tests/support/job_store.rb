# frozen_string_literal: true

##
# Where jobs are in a Redis on their way, for whatever has `call`.
module JobStore
  # @param payloads [Array<String>] the first is popped first
  def push(queue, payloads)
    call("SADD", "queues", queue)
    payloads.each_slice(1_000) { |slice| call("LPUSH", "queue:#{queue}", *slice) }
  end

  def keys(pattern)
    call("KEYS", pattern)
  end

  # Payloads in the in-flight tables that the pattern in ARGV names, and in the lists of hand-offs. A table's field has
  # one, or those of a parcel, or is empty: a large one has a list of its own.
  PAYLOADS = <<~LUA
    local found = {}
    local function add(key)
      local all, large = redis.call('HGETALL', key), string.gsub(key, 'inflight', 'large', 1) .. ':'
      for i = 1, #all, 2 do
        if string.match(all[i], '^%d+%+') then
          for _, payload in ipairs(cmsgpack.unpack(all[i + 1])) do found[#found + 1] = payload end
        elseif string.match(all[i], '^%d+:') then
          local own = all[i + 1] == '' and redis.call('LINDEX', large .. string.match(all[i], '^%d+'), 0)
          found[#found + 1] = own or all[i + 1]
        end
      end
    end
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do add(key) end
    for _, key in ipairs(ARGV[2] and redis.call('KEYS', ARGV[2]) or {}) do
      for _, payload in ipairs(redis.call('LRANGE', key, 0, -1)) do found[#found + 1] = payload end
    end
    return found
  LUA

  # Payloads in the in-flight tables whose holder's name contains `part`.
  def inflight(part = "")
    call("EVAL", PAYLOADS, 0, "footplate:inflight:*#{part}*")
  end

  # Everything that a process was in possession of when it ended or was suspended, which others are to bring back: what
  # it had claimed, and what was handed over to it. A job that is handed over may run before it is in the table.
  def held_by(pid)
    # What it said at last may not have been read yet. Its sockets are ready by now: each round trip is a round of all.
    3.times { call("PING") }
    call("EVAL", PAYLOADS, 0, "footplate:inflight:*:#{pid}:*", "footplate:handoff:*:#{pid}:*")
  end

  # By the digest of a payload: how often it was brought back.
  def recoveries
    names = keys("footplate:recovered:*")
    return {} if names.empty?

    names.map { |name| name.split(":").last }.zip(call("MGET", *names).map { |it| Integer(it) }).to_h
  end

  # In one step, since a job may move from where one looks next to where one has just looked.
  ON_THEIR_WAY = <<~LUA
    local count = redis.call('ZCOUNT', 'schedule', '-inf', ARGV[1]) + redis.call('ZCARD', 'footplate:orphans')
    for _, pattern in ipairs({'queue:*', 'footplate:handoff:*'}) do
      for _, name in ipairs(redis.call('KEYS', pattern)) do
        if redis.call('TYPE', name).ok == 'list' then count = count + redis.call('LLEN', name) end
      end
    end
    for _, name in ipairs(redis.call('KEYS', 'footplate:inflight:*')) do
      for _, field in ipairs(redis.call('HKEYS', name)) do
        if string.sub(field, 1, 1) ~= '#' then count = count + 1 end
      end
    end
    return count
  LUA

  # Jobs in a queue, in the list of a hand-off or in a table, or due by then, and holders that are yet to be recovered.
  def unfinished(due_within: 3_600)
    call("EVAL", ON_THEIR_WAY, 0, Time.now.to_f + due_within)
  end
end
