-- Turns into orphans those holders whose lease has ended and was not renewed since a process looked. A clock that jumps
-- forward ends all leases at once, and kills nobody; one that jumps back makes them longer than any lease is, and keeps
-- nobody alive. From then on an orphan's late renewals and claims fail.
-- KEYS: 1 leases, 2 orphans
-- ARGV: 1 most orphans, 2 most leases to return, 3 the most seconds that a lease lasts, then holder and end of each
--       lease that was not renewed in time
-- Returns {{orphan...}, {holder, end...}, now}: the orphans that have waited longest, and the leases that end first.
local leases, orphans = KEYS[1], KEYS[2]
local most_orphans, most_leases, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
for i = 4, #ARGV, 2 do
  local holder, ends = ARGV[i], ARGV[i + 1]
  local left = tonumber(ends) - tonumber(now)
  local over = left <= 0 or left > longest
  if over and redis.call('ZSCORE', leases, holder) == ends then
    redis.call('PERSIST', leases)
    redis.call('ZADD', orphans, 'NX', now, holder)
    redis.call('ZREM', leases, holder)
  end
end
return {
  redis.call('ZRANGE', orphans, 0, most_orphans - 1),
  redis.call('ZRANGE', leases, 0, most_leases - 1, 'WITHSCORES'),
  now,
}
