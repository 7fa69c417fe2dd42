-- Takes, renews or gives up a lease. The time is Redis's own.
-- KEYS: 1 leases, 2 orphans, 3 in-flight table
-- ARGV: 1 take, renew, release or abandon; 2 holder; 3 seconds
-- take and renew return 1, or 0 when the lease is lost; release returns the jobs still in flight,
-- and releases when there are none; abandon returns 1 when it orphaned something.
local leases, orphans, inflight = unpack(KEYS, 1, 3)
local action, holder, seconds = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

-- As in claim.lua: a full Redis must not cost a process its lease.
redis.call('PERSIST', leases)

if action == 'take' or action == 'renew' then
  if redis.call('ZSCORE', orphans, holder) then
    -- Declared dead, perhaps by a call that Redis carried out late. As long as none of its jobs has been moved, it
    -- simply lives on.
    if action == 'take' or redis.call('HEXISTS', inflight, '#moved') == 1 then return 0 end
    redis.call('ZREM', orphans, holder)
  elseif action == 'renew' and not redis.call('ZSCORE', leases, holder) then
    return 0
  end
  redis.call('ZADD', leases, string.format('%.6f', now + seconds), holder)
  return 1
end

local left = 0
for _, field in ipairs(redis.call('HKEYS', inflight)) do
  if string.sub(field, 1, 1) ~= '#' then left = left + 1 end
end
if action == 'release' then
  -- Orphaned in the meantime: the table belongs to the process that recovers it.
  if redis.call('ZSCORE', orphans, holder) then return 0 end
  if left == 0 then
    redis.call('UNLINK', inflight)
    redis.call('ZREM', leases, holder)
  end
  return left
end

local held = redis.call('ZREM', leases, holder)
if held == 0 and left <= 0 then return 0 end
redis.call('ZADD', orphans, 'NX', string.format('%.6f', now), holder)
return 1
