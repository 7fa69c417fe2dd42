-- Moves a job that BLMOVE handed over to the holder's in-flight table. Repeated, it does nothing.
-- It may have to go on trial: a holder that waits already hears of suspects a moment after they are pushed.
-- KEYS: 1 the list, 2 in-flight table, 3 leases, 4 orphans, 5 trials
-- ARGV: 1 holder, 2 token, larger than all before, 3 the job's field in the table
-- Returns 1, or 0 when the job is gone: somebody else has it.
if tonumber(redis.call('HGET', KEYS[2], '#adopted') or '0') >= tonumber(ARGV[2]) then return 1 end
local payload = redis.call('LINDEX', KEYS[1], -1)
if not payload then return 0 end
redis.call('PERSIST', KEYS[2])
redis.call('HSET', KEYS[2], ARGV[3], payload, '#adopted', ARGV[2])
redis.call('RPOP', KEYS[1])
try_running(KEYS[2], ARGV[3], payload, KEYS[5])
-- The lease is over: whoever recovers must find the table.
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  redis.call('ZADD', KEYS[4], 'NX', redis.call('TIME')[1], ARGV[1])
end
return 1
