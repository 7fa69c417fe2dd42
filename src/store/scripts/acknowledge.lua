-- Forgets finished jobs and counts those that were still the holder's.
-- KEYS: 1 in-flight table, 2... counters
-- ARGV: 1 how many parcels (see parcel.lua), then for each counter how many seconds it lives (0: forever), then the
--       fields of the parcels, then those of single jobs
-- Returns how many were counted.
local inflight, parcels, counters = KEYS[1], tonumber(ARGV[1]), #KEYS - 1
local first_parcel = 2 + counters
local first_job, removed = first_parcel + parcels, 0
for i = first_parcel, first_job - 1 do
  local first, count, queue = string.match(ARGV[i], '^(%d+)%+(%d+):(.*)$')
  if redis.call('HDEL', inflight, ARGV[i]) == 1 then
    removed = removed + count
  else
    -- It has been opened meanwhile.
    local fields = {}
    for n = 1, count do fields[n] = string.format('%d:%s', first + n - 1, queue) end
    removed = removed + redis.call('HDEL', inflight, unpack(fields))
  end
end
for i = first_job, #ARGV, 1000 do
  local fields = {unpack(ARGV, i, math.min(i + 999, #ARGV))}
  removed = removed + redis.call('HDEL', inflight, unpack(fields))
  forget_large(inflight, fields)
end
-- The jobs have left their table, so a counter of a wrong type must not fail the step.
if removed > 0 then
  for n = 1, counters do
    local counter, lives = KEYS[1 + n], tonumber(ARGV[1 + n])
    redis.pcall('INCRBY', counter, removed)
    if lives > 0 then redis.pcall('EXPIRE', counter, lives) end
  end
end
return removed
