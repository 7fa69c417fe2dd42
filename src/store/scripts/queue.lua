-- A claim's view of its queues: at which end of the list the next job is, and how jobs are put back there.
local ends = {
  R = {pop = 'RPOP', put_back = 'RPUSH', push = 'LPUSH', next_at = -1},
  L = {pop = 'LPOP', put_back = 'LPUSH', push = 'RPUSH', next_at = 0},
}

-- Moves the next job of a queue to a list of its own without Lua seeing it (large.lua): first a copy, then the removal.
local function copy_next(queue, own)
  if queue.next_at == 0 then
    return redis.pcall('SORT', queue.key, 'BY', 'nosort', 'LIMIT', 0, 1, 'STORE', own)
  end
  return redis.pcall('SORT', queue.key, 'BY', 'nosort', 'LIMIT', 0, 1, 'DESC', 'STORE', own)
end

local function drop_next(queue)
  if queue.next_at == 0 then return redis.pcall('LTRIM', queue.key, 1, -1) end
  return redis.pcall('LTRIM', queue.key, 0, -2)
end
