-- Turns holders into orphans whose lease has ended and was not renewed since somebody looked: a clock that jumps ends all
-- leases at once, and kills nobody; one that jumps back makes them longer than any lease is, and keeps nobody alive.
-- From then on an orphan's late renewals and claims fail.
-- KEYS: 1 leases, 2 orphans
-- ARGV: 1 most orphans, 2 most leases to return, 3 the most seconds that a lease lasts, then holder and end of each
--       lease that was not renewed in time
-- Returns {{orphan...}, {holder, end...}, now}, the longest waiting first, and the leases that end first.
local time = redis.call('TIME')
local now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
for i = 4, #ARGV, 2 do
  local holder, ends = ARGV[i], ARGV[i + 1]
  local left = tonumber(ends) - tonumber(now)
  local over = left <= 0 or left > tonumber(ARGV[3])
  if over and redis.call('ZSCORE', KEYS[1], holder) == ends then
    redis.call('PERSIST', KEYS[1])
    redis.call('ZADD', KEYS[2], 'NX', now, holder)
    redis.call('ZREM', KEYS[1], holder)
  end
end
return {
  redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1),
  redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1, 'WITHSCORES'),
  now,
}
