-- Takes, renews or gives up a lease. The time is Redis's own.
-- KEYS: 1 leases, 2 orphans, 3 in-flight table
-- ARGV: 1 take, renew, release or abandon; 2 holder; 3 seconds
-- take and renew return 1, or 0 when the lease is lost; release returns the jobs still in flight,
-- and releases when there are none; abandon returns 1 when it orphaned something.
local action, holder = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

-- As in claim.lua: a full Redis must not cost a process its lease.
redis.call('PERSIST', KEYS[1])

if action == 'take' or action == 'renew' then
  if redis.call('ZSCORE', KEYS[2], holder) then return 0 end
  if action == 'renew' and not redis.call('ZSCORE', KEYS[1], holder) then return 0 end
  redis.call('ZADD', KEYS[1], string.format('%.6f', now + tonumber(ARGV[3])), holder)
  return 1
end

local left = redis.call('HLEN', KEYS[3]) - redis.call('HEXISTS', KEYS[3], '#claim')
  - redis.call('HEXISTS', KEYS[3], '#metrics') - redis.call('HEXISTS', KEYS[3], '#trial')
  - redis.call('HEXISTS', KEYS[3], '#blamed')
if action == 'release' then
  -- Orphaned in the meantime: the table belongs to whoever recovers it.
  if redis.call('ZSCORE', KEYS[2], holder) then return 0 end
  if left == 0 then
    redis.call('UNLINK', KEYS[3])
    redis.call('ZREM', KEYS[1], holder)
  end
  return left
end

local held = redis.call('ZREM', KEYS[1], holder)
if held == 0 and left <= 0 then return 0 end
redis.call('ZADD', KEYS[2], 'NX', string.format('%.6f', now), holder)
return 1
