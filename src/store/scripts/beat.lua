-- One heartbeat: the process's facts, what it runs, and the commands that wait for it.
-- KEYS: 1 processes, 2 identity, 3 identity:work, 4 identity:workers, 5 identity-signals
-- ARGV: 1 identity, 2 seconds to live, 3 number of facts, then field and value of each fact,
--       then thread id and JSON of each running job
-- Returns {known before, signal...}
local facts = tonumber(ARGV[3])
-- Before anything that needs memory: a full Redis must not make a live process look dead.
redis.call('UNLINK', KEYS[3], KEYS[4])
local known = redis.call('EXISTS', KEYS[2])
redis.call('SADD', KEYS[1], ARGV[1])
if facts > 0 then redis.call('HSET', KEYS[2], unpack(ARGV, 4, 3 + 2 * facts)) end
redis.call('EXPIRE', KEYS[2], ARGV[2])
local first = 4 + 2 * facts
for i = first, #ARGV, 1000 do
  local last = math.min(i + 999, #ARGV)
  redis.call('HSET', KEYS[3], unpack(ARGV, i, last))
  redis.call('HSET', KEYS[4], unpack(ARGV, i, last))
end
if first <= #ARGV then
  redis.call('EXPIRE', KEYS[3], ARGV[2])
  redis.call('EXPIRE', KEYS[4], ARGV[2])
end
local signals = redis.call('RPOP', KEYS[5], 50)
return {known, unpack(signals or {})}
