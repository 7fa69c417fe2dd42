-- Finds jobs that were handed over to a holder whose lease is over: a BLMOVE may be carried out after its client
-- has died. They become part of the holder's in-flight table, and the holder an orphan, for recover.lua.
-- The names of lists and tables are in the handoffs, so they cannot be declared in KEYS.
-- KEYS: 1 handoffs, 2 leases, 3 orphans
-- ARGV: 1 prefix of a list's key, 2 prefix of a table's key, 3 cursor: where to continue, 0 at first, 4 seconds after
--       which an empty list that nobody waits for is forgotten
-- Returns how many jobs, and the next cursor, 0 when all lists have been looked at.
local handoffs, leases, orphans = unpack(KEYS, 1, 3)
local list_prefix, table_prefix, cursor, memory = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local found, now = 0, tonumber(redis.call('TIME')[1])
local part = redis.call('ZSCAN', handoffs, cursor, 'COUNT', 500)
local lists = part[2]
for i = 1, #lists, 2 do
  local holder, queue = string.match(lists[i], '^([^\n]+)\n(.*)$')
  local list = list_prefix .. holder .. ':' .. queue
  if not redis.call('ZSCORE', leases, holder) then
    -- Above all tokens ever claimed: these jobs are the newest.
    local token = 9007199254740991
    local payload = redis.call('LINDEX', list, -1)
    -- As in preflight.lua.
    if payload then redis.call('RPOP', list, 0) end
    while payload do
      local inflight, field = table_prefix .. holder, nil
      redis.call('PERSIST', inflight)
      repeat
        field = string.format('%.0f:%s', token, queue)
        token = token - 1
      until redis.call('HEXISTS', inflight, field) == 0
      redis.call('ZADD', orphans, 'NX', now, holder)
      -- The holder knows nothing of this job. Should it live on, it must be under another name (lease.lua), or nobody
      -- would ever look for the job.
      redis.call('HSET', inflight, field, payload, '#moved', '1')
      redis.call('RPOP', list)
      found = found + 1
      payload = redis.call('LINDEX', list, -1)
    end
  end
  if tonumber(lists[i + 1]) + memory < now and redis.call('LLEN', list) == 0 then
    redis.call('ZREM', handoffs, lists[i])
  end
end
return {found, part[1]}
