-- Turns holders whose lease has ended into orphans. From then on their late renewals and claims fail.
-- KEYS: 1 leases, 2 orphans
-- ARGV: 1 how many at most
-- Returns the orphans, longest waiting first.
local time = redis.call('TIME')
local now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #ended > 0 then redis.call('PERSIST', KEYS[1]) end
for _, holder in ipairs(ended) do
  redis.call('ZADD', KEYS[2], 'NX', now, holder)
  redis.call('ZREM', KEYS[1], holder)
end
return redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1)
