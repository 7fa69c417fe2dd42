-- Forgets finished jobs and counts those that were still the holder's.
-- KEYS: 1 in-flight table, 2 stat:processed, 3 stat:processed of the day
-- ARGV: 1 the day's expiry in seconds, 2 how many parcels (see parcel.lua), then their fields, then those of
--       single jobs
local first_job, removed = 3 + tonumber(ARGV[2]), 0
for i = 3, first_job - 1 do
  local first, count, queue = string.match(ARGV[i], '^(%d+)%+(%d+):(.*)$')
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    removed = removed + count
  else
    -- Somebody has opened it.
    local fields = {}
    for n = 1, count do fields[n] = string.format('%d:%s', first + n - 1, queue) end
    removed = removed + redis.call('HDEL', KEYS[1], unpack(fields))
  end
end
for i = first_job, #ARGV, 1000 do
  local fields = {unpack(ARGV, i, math.min(i + 999, #ARGV))}
  removed = removed + redis.call('HDEL', KEYS[1], unpack(fields))
  forget_large(KEYS[1], fields)
end
tally(KEYS[2], KEYS[3], removed, ARGV[1])
return removed
