-- Reads what is due, by Redis's own clock, and when the next one will be.
-- KEYS: 1 schedule or retry
-- ARGV: 1 most jobs, 2 most bytes, 3 seconds to hold what is returned, 0 not to
-- Held: the score moves on by that much, so that no other process sees the member as due meanwhile, and every process
-- does if we never come back to it.
-- Returns {microseconds until the next one, or -1, member...}
local set, most, most_bytes, hold = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
local reply, bytes, seen = {-1}, 0, 0

local function finish()
  if hold > 0 and seen > 0 then
    -- Also on a full Redis (see claim.lua).
    redis.call('PERSIST', set)
    local held = string.format('%d.%06d', tonumber(time[1]) + hold, tonumber(time[2]))
    for i = 2, #reply do redis.call('ZADD', set, 'XX', held, reply[i]) end
  end
  return reply
end

-- Their size is known only once they are read, which takes Redis long if they are large: so read few at a time.
local step = 1
while seen < most do
  local part = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', seen, math.min(step, most - seen))
  for _, member in ipairs(part) do
    bytes = bytes + #member
    if bytes > most_bytes and seen > 0 then
      reply[1] = 0
      return finish()
    end
    seen = seen + 1
    reply[seen + 1] = member
  end
  if #part < step then break end
  if bytes >= most_bytes then
    reply[1] = 0
    return finish()
  end
  local fit = math.floor((most_bytes - bytes) * seen / bytes)
  step = math.max(1, math.min(20, 2 * seen, fit))
end
local following = redis.call('ZRANGEBYSCORE', set, '-inf', '+inf', 'WITHSCORES', 'LIMIT', seen, 1)
if following[2] then
  local wait = tonumber(following[2]) - tonumber(now)
  -- A score may be infinite; a day is soon enough to look again.
  reply[1] = math.ceil(math.max(0, math.min(wait, 86400)) * 1000000)
end
return finish()
