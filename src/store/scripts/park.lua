-- Asks whether a holder may wait for a job of this queue by BLMOVE, which takes it whatever the claim's rules are.
-- The list it is moved to is remembered, so that sweep.lua finds what is left in it, however late it came there.
-- KEYS: 1 leases, 2 handoffs, 3 the list, 4 paused queues, 5 suspects, 6 trials
-- ARGV: 1 holder, 2 queue's bare name, 3 the list's member in the handoffs
-- Returns {0} for no, {1} for yes, or {2, payload}: a job is in the list already, its reply was lost.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return redis.error_reply('LEASELOST another process took over')
end
local stranded = redis.call('LINDEX', KEYS[3], -1)
if stranded then return {2, stranded} end
if is_member(KEYS[4], ARGV[2]) or redis.call('EXISTS', KEYS[5], KEYS[6]) > 0 then return {0} end
-- As in claim.lua: a full Redis must be drained, and must not keep a process from its end.
redis.call('PERSIST', KEYS[2])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[3])
return {1}
