-- Moves a job that BLMOVE handed over to the holder's in-flight table. Repeated, it does nothing. The job may have to
-- go on trial: a holder that is already waiting learns of suspects a moment after they are pushed.
-- KEYS: 1 the list, 2 in-flight table, 3 leases, 4 orphans, 5 trials, 6 suspects
-- ARGV: 1 holder, 2 token, larger than all before, 3 the job's field in the table, 4 the job: another may have come
--       into the list before it, for a connection that only its client knows to be lost
-- Returns 1, or 2 when the holder has no lease, or 0 when the job is gone: somebody else has it.
local list, inflight, leases, orphans, trials, suspects = unpack(KEYS, 1, 6)
local holder, token, field, payload = unpack(ARGV, 1, 4)
local leased = redis.call('ZSCORE', leases, holder)
local adopted = leased and 1 or 2
if tonumber(redis.call('HGET', inflight, '#adopted') or '0') >= tonumber(token) then return adopted end
local place
for i = 1, redis.call('LLEN', list) do
  if redis.call('LINDEX', list, -i) == payload then
    place = i
    break
  end
end
if not place then return 0 end
redis.call('PERSIST', inflight)
preflight_rpop(list)
-- Of several in the list, the others are put back.
if place > 1 then preflight_push(scratch_key(inflight), 'RPUSH') end
-- The lease is over: the process that recovers must find the table.
if not leased then redis.call('ZADD', orphans, 'NX', redis.call('TIME')[1], holder) end
redis.call('HSET', inflight, field, payload, '#adopted', token)
-- Uses only commands that claims need as well: LREM would be one more right to ask for.
local popped = redis.call('RPOP', list, place)
for i = place - 1, 1, -1 do redis.call('RPUSH', list, popped[i]) end
if leased then try_running(inflight, field, payload, trials, suspects) end
return adopted
