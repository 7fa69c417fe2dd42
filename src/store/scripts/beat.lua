-- One heartbeat: the process's facts, what it runs, and the commands that wait for it.
-- KEYS: 1 processes, 2 identity, 3 identity:work, 4 identity:workers, 5 identity-signals
-- ARGV: 1 identity, 2 seconds to live, 3 number of facts, then field and value of each fact,
--       then thread id and JSON of each running job
-- Returns {known before, signal...}
local processes, process, work, workers, signals = unpack(KEYS, 1, 5)
local identity, lives, facts = ARGV[1], ARGV[2], tonumber(ARGV[3])
local first_job = 4 + 2 * facts
-- Comes before anything that needs memory: a full Redis must not make a live process look dead.
redis.call('UNLINK', work, workers)
local known = redis.call('EXISTS', process)
redis.call('SADD', processes, identity)
if facts > 0 then redis.call('HSET', process, unpack(ARGV, 4, first_job - 1)) end
redis.call('EXPIRE', process, lives)
for i = first_job, #ARGV, 1000 do
  local last = math.min(i + 999, #ARGV)
  redis.call('HSET', work, unpack(ARGV, i, last))
  redis.call('HSET', workers, unpack(ARGV, i, last))
end
if first_job <= #ARGV then
  redis.call('EXPIRE', work, lives)
  redis.call('EXPIRE', workers, lives)
end
return {known, unpack(redis.call('RPOP', signals, 50) or {})}
