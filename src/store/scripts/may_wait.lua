-- Asks whether a holder may wait for a job of this queue by BLMOVE, which takes it regardless of the claim's rules. The
-- list it is moved to is remembered, so that sweep.lua finds what is left in it, however late it came there.
-- KEYS: 1 leases, 2 handoffs, 3 the list, 4 paused queues, 5 suspects, 6 trials
-- ARGV: 1 holder, 2 what the queue is called among the paused ones, 3 the list's member in the handoffs
-- Returns {0} for no, {1} for yes, or {2, payload}: a job is in the list already, its reply was lost.
local leases, handoffs, list, paused, suspects, trials = unpack(KEYS, 1, 6)
local holder, paused_as, member = unpack(ARGV, 1, 3)
if not redis.call('ZSCORE', leases, holder) then
  return redis.error_reply('LEASELOST another process took over')
end
local stranded = redis.call('LINDEX', list, -1)
if stranded then return {2, stranded} end
if is_member(paused, paused_as) or redis.call('EXISTS', suspects, trials) > 0 then return {0} end
-- As in claim.lua: it must be possible to drain a full Redis, and it must not keep a process from ending.
redis.call('PERSIST', handoffs)
redis.call('ZADD', handoffs, redis.call('TIME')[1], member)
return {1}
