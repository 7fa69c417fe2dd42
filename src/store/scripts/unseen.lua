-- Finds out whether payloads can be moved unseen (large.lua): whether this user may do it, and whether the server does it
-- as it must, since one that kept no order here would lose jobs. Leaves nothing behind.
-- KEYS: 1, 2 keys that nobody else uses
-- Returns 1 or 0.
local queue, own = KEYS[1], KEYS[2]
-- Also on a full Redis (see claim.lua).
redis.call('PERSIST', queue)
redis.call('RPUSH', queue, 'newest', 'b', 'a', 'oldest')
local copied = redis.pcall('SORT', queue, 'BY', 'nosort', 'LIMIT', 0, 1, 'DESC', 'STORE', own)
local size = copied == 1 and redis.pcall('MEMORY', 'USAGE', own, 'SAMPLES', 1)
local trimmed = type(size) == 'number' and not redis.pcall('LTRIM', queue, 0, -2).err
local works = trimmed and redis.call('LINDEX', own, 0) == 'oldest' and redis.call('LINDEX', queue, -1) == 'a'
  and redis.call('LLEN', own) == 1 and redis.call('LLEN', queue) == 3
redis.call('UNLINK', queue, own)
return works and 1 or 0
