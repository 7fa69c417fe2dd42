-- A claim while no job is suspected of anything (claim.lua, which comes before this): small payloads one by one or in
-- parcels, large ones moved unread.

-- How many large payloads the table has, once that has been asked.
local beside

local function pack(queue, jobs)
  local packed = cmsgpack.pack(jobs)
  redis.call('HSET', inflight, string.format('%d+%d:%s', first + taken, #jobs, queue.key), packed)
  return packed
end

-- Takes the next job of a queue without looking at it, unless it does not fit. Returns roughly how many bytes it has, 0
-- when there is none, and nothing when it cannot be done: a right may be missing, or the key may be no list.
local function take_large(queue)
  local field = string.format('%d:%s', first + taken, queue.key)
  local own = large_key(inflight, field)
  preflight_hdel(inflight)
  redis.call('UNLINK', own)
  local copied = copy_next(queue, own)
  if copied == 0 then return 0 end
  if copied ~= 1 then return end
  local size = redis.pcall('MEMORY', 'USAGE', own, 'SAMPLES', 1)
  if type(size) ~= 'number' then
    redis.call('UNLINK', own)
    return
  end
  if taken > 0 and bytes + size > byte_limit then
    redis.call('UNLINK', own)
    full = true
    return size
  end
  beside = beside or large_count(inflight)
  redis.call('HSET', inflight, field, '', '#large', beside + 1)
  if drop_next(queue).err then
    redis.call('HDEL', inflight, field)
    forget_large(inflight, {field})
    return
  end
  tell(queue, 1)
  taken, bytes, beside = taken + 1, bytes + size, beside + 1
  if taken >= limit or bytes >= byte_limit then full = true end
  return size
end

-- Takes up to `want` jobs of a queue. Returns whether there are more, and the bytes of the largest and of the last one.
local function take_some(queue, want)
  local popped = ask(queue, queue.pop, want)
  if not popped then return false end
  local more = #popped == want
  local keep, biggest = bound(queue, popped)
  if keep > 0 then
    local is_parcel = keep > 1 and keep <= parcel
    tell(queue, is_parcel and pack(queue, popped) or store(queue, popped))
    taken = taken + keep
  end
  if taken >= limit or bytes >= byte_limit then full = true end
  return more, biggest, keep > 0 and #popped[keep] or 0
end

-- How many of up to `want` jobs to pop at first, and whether they are large instead.
local function look(queue, want)
  if want == 1 then return 1 end
  local oldest = ask(queue, 'LINDEX', queue.next_at)
  if not oldest then return 0 end
  return room(#oldest, 16), large > 0 and #oldest >= large
end

-- Takes up to `most` jobs of a queue.
local function take(queue, most)
  local target = math.min(limit, taken + most)
  if is_paused(queue) then return end
  local more, step, biggest, last = true, nil, nil, nil
  local is_large = large > 0 and queue.seems_large
  while more and taken < target do
    if not (step or is_large) then step, is_large = look(queue, target - taken) end
    if full or step == 0 then break end
    if is_large then
      last = take_large(queue)
      if not last then large = 0 end
      more, biggest = last ~= 0, last
    else
      more, biggest, last = take_some(queue, math.min(target - taken, step))
    end
    local fitting = biggest and room(biggest, 128)
    -- One large payload says nothing about how many small ones to pop.
    step = not is_large and fitting
    is_large = large > 0 and last and last >= large
  end
end

walk(take)
return reply
