-- Moves a job that BLMOVE handed over to the holder's in-flight table. Repeated, it does nothing.
-- It may have to go on trial: a holder that waits already hears of suspects a moment after they are pushed.
-- KEYS: 1 the list, 2 in-flight table, 3 leases, 4 orphans, 5 trials, 6 suspects
-- ARGV: 1 holder, 2 token, larger than all before, 3 the job's field in the table, 4 the job: another may have come
--       into the list before it, for a connection that only its client knows to be lost
-- Returns 1, or 2 when the holder has no lease, or 0 when the job is gone: somebody else has it.
local leased = redis.call('ZSCORE', KEYS[3], ARGV[1])
local adopted = leased and 1 or 2
if tonumber(redis.call('HGET', KEYS[2], '#adopted') or '0') >= tonumber(ARGV[2]) then return adopted end
local payload, place = ARGV[4], nil
for i = 1, redis.call('LLEN', KEYS[1]) do
  if redis.call('LINDEX', KEYS[1], -i) == payload then
    place = i
    break
  end
end
if not place then return 0 end
redis.call('PERSIST', KEYS[2])
preflight_rpop(KEYS[1])
-- Of several in the list, the others are put back.
if place > 1 then preflight_push(scratch_key(KEYS[2]), 'RPUSH') end
-- The lease is over: whoever recovers must find the table.
if not leased then redis.call('ZADD', KEYS[4], 'NX', redis.call('TIME')[1], ARGV[1]) end
redis.call('HSET', KEYS[2], ARGV[3], payload, '#adopted', ARGV[2])
-- With the commands that claims need as well: LREM would be a right more to ask for.
local popped = redis.call('RPOP', KEYS[1], place)
for i = place - 1, 1, -1 do redis.call('RPUSH', KEYS[1], popped[i]) end
if leased then try_running(KEYS[2], ARGV[3], payload, KEYS[5], KEYS[6]) end
return adopted
