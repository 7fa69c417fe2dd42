-- Forgets finished jobs and counts those that were still the holder's.
-- KEYS: 1 in-flight table, 2 stat:processed, 3 stat:processed of the day
-- ARGV: 1 the day's expiry in seconds, 2... fields of the table
local removed = 0
for i = 2, #ARGV, 1000 do
  removed = removed + redis.call('HDEL', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if removed > 0 then
  redis.call('INCRBY', KEYS[2], removed)
  redis.call('INCRBY', KEYS[3], removed)
  redis.call('EXPIRE', KEYS[3], ARGV[1])
end
return removed
