-- Finds out whether payloads can be moved unread (large.lua): whether this user may do it, and whether the server does
-- it correctly, at both ends of a list, since one that did not keep the order here would lose jobs. Leaves nothing
-- behind.
-- KEYS: 1, 2 keys that nobody else uses
-- Returns 1 or 0.
local list, own = KEYS[1], KEYS[2]

-- Moves the item at one end as a claim does, and returns whether the right one came and the right ones stayed.
local function works(at, item, left, next_one)
  local queue = {key = list, next_at = at}
  local copied = copy_next(queue, own)
  local size = copied == 1 and redis.pcall('MEMORY', 'USAGE', own, 'SAMPLES', 1)
  local trimmed = type(size) == 'number' and not drop_next(queue).err
  return trimmed and redis.call('LINDEX', own, 0) == item and redis.call('LLEN', own) == 1
    and redis.call('LLEN', list) == left and redis.call('LINDEX', list, at) == next_one
end

-- Also on a full Redis (see claim.lua).
redis.call('PERSIST', list)
redis.call('RPUSH', list, 'newest', 'b', 'a', 'oldest')
local answer = works(-1, 'oldest', 3, 'a') and works(0, 'newest', 2, 'b')
redis.call('UNLINK', list, own)
return answer and 1 or 0
