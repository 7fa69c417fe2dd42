-- Moves due members to their queues, each only if no other scheduler was faster.
-- KEYS: 1 schedule or retry, 2 queues, 3 dead, 4... queues to push to
-- ARGV: 1 now, 2 death before which dead jobs are dropped, 3 most dead jobs, then per member:
--       member, operation (p push, d drop, m malformed), index into KEYS (or 0), bare queue name, payload
-- Returns one 0 or 1 per member, and one 1 more if the dead set is not yet trimmed. One whose queue cannot be pushed to is due again in half a minute, so that it
-- keeps nobody else waiting; what Redis said of it is returned once the others are moved.
local reply, buried, broken = {}, false, nil
redis.call('PERSIST', KEYS[1])
preflight_zrem(KEYS[1])
for i = 4, #ARGV, 5 do
  local n = (i + 1) / 5
  local member, op, key, queue, payload = unpack(ARGV, i, i + 4)
  reply[n] = 0
  if redis.call('ZSCORE', KEYS[1], member) then
    local wrote = 1
    if op == 'p' then
      wrote = redis.pcall('LPUSH', KEYS[tonumber(key)], payload)
    elseif op == 'm' then
      wrote = redis.pcall('ZADD', KEYS[3], ARGV[1], member)
    end
    if type(wrote) == 'table' and wrote.err then
      broken = wrote
      redis.call('ZADD', KEYS[1], 'XX', redis.call('TIME')[1] + 30, member)
    else
      -- In its queue, it must leave the set, whatever `queues` is.
      if op == 'p' then redis.pcall('SADD', KEYS[2], queue) end
      if op == 'm' then buried = true end
      redis.call('ZREM', KEYS[1], member)
      reply[n] = 1
    end
  end
end
if buried and trim_dead(KEYS[3], ARGV[2], ARGV[3]) then reply[#reply + 1] = 1 end
return broken or reply
