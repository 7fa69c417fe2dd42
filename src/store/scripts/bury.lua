-- Sends poison pills of an orphan to the dead set, each only if nobody else did.
-- KEYS: 1 in-flight table, 2 dead, 3... the counters of the payloads
-- ARGV: 1 now, 2 death before which dead jobs are dropped, 3 most dead jobs, then per job: field, payload
-- Returns one 0 or 1 per job, and one 1 more if the dead set is not yet trimmed.
local reply = {}
redis.call('PERSIST', KEYS[1])
preflight_hdel(KEYS[1])
redis.call('UNLINK', scratch_key(KEYS[1]))
for i = 4, #ARGV, 2 do
  local n = (i - 2) / 2
  reply[n] = 0
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i + 1])
    redis.call('HDEL', KEYS[1], ARGV[i])
    forget_large(KEYS[1], {ARGV[i]})
    redis.call('UNLINK', KEYS[2 + n])
    reply[n] = 1
  end
end
if trim_dead(KEYS[2], ARGV[2], ARGV[3]) then reply[#reply + 1] = 1 end
return reply
