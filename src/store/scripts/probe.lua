-- Tries every command of the other scripts once, on a key of its own, so that a user who lacks a right is told
-- at start rather than in the middle of a job. Leaves nothing behind.
-- KEYS: 1 a key that nobody else uses, already inside the namespace
-- Returns the names of the commands that this user may not run.
local key, missing = KEYS[1], {}

local function try(command, ...)
  local reply = redis.pcall(command, ...)
  local problem = type(reply) == 'table' and reply.err
  if not problem then return end
  -- The errors that scripts get from Redis 7.2 on, and before.
  if string.find(problem, 'ACL failure', 1, true) or string.find(problem, 'user executing the script', 1, true) then
    missing[#missing + 1] = string.lower(command)
  else
    -- Not about rights: raised as the other scripts would raise it.
    redis.call(command, ...)
  end
end

-- As in claim.lua: also on a full Redis.
try('PERSIST', key)
try('UNLINK', key)
try('EXPIRE', key, 1)
-- What follows would leave its key behind.
if #missing > 0 then return missing end

try('TIME')
try('HSET', key, 'a', '1')
try('HINCRBY', key, 'a', 1)
try('HGET', key, 'a')
try('HKEYS', key)
try('HLEN', key)
try('HEXISTS', key, 'a')
try('HDEL', key, 'a')
redis.call('UNLINK', key)
try('LPUSH', key, '1')
try('RPUSH', key, '2')
try('LINDEX', key, -1)
try('LLEN', key)
try('RPOP', key, 2)
redis.call('UNLINK', key)
try('SADD', key, '1')
try('SISMEMBER', key, '1')
try('SSCAN', key, 0)
try('SREM', key, '1')
redis.call('UNLINK', key)
try('ZADD', key, 1, '1')
try('ZSCORE', key, '1')
try('ZRANGE', key, 0, 1)
try('ZRANGEBYSCORE', key, 0, 1)
try('ZREMRANGEBYRANK', key, 0, '-5')
try('ZCARD', key)
try('ZCOUNT', key, '-inf', 0)
try('ZSCAN', key, 0)
try('ZREM', key, '1')
redis.call('UNLINK', key)
try('SET', key, '1')
try('INCR', key)
try('INCRBY', key, 1)
try('GET', key)
try('EXISTS', key)
redis.call('UNLINK', key)
try('BITFIELD', key, 'INCRBY', 'u16', 0, 1)
redis.call('UNLINK', key)
return missing
