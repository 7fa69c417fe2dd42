-- A claim while some jobs may have brought down a process (claim.lua and trial.lua, which come before this). It takes
-- no more than can start at once, each job as a field of its own. A suspect is taken only as the holder's only job, and
-- then nothing else for a while.
limit = math.min(limit, careful_limit)
local state = trial_state(inflight)
if state == 'alone' or state == 'draining' then return {2} end

-- What is popped and not taken must go back, whatever the user's rights: check them first.
must_be_tried('', trials)
preflight_push(scratch_key(inflight), 'RPUSH')
preflight_push(scratch_key(inflight), 'LPUSH')

local empty = not has_jobs(inflight)
-- Suspects that were popped and are not to be tried now, and whether any queue may have more than was seen.
local held, held_most, unseen = {}, 100, false

-- Takes a suspect, as the holder's only job.
local function try(queue, payload)
  tell(queue, store(queue, {payload}))
  put_on_trial(inflight, string.format('%d:%s', first, queue.key), payload, trials, suspects)
  end_drain(inflight)
  taken, full = 1, true
end

-- Leaves in `popped` what may be taken alongside others. Returns whether one of them was taken for a trial instead.
local function keep_unsuspected(queue, popped)
  local kept = 0
  for j = 1, #popped do
    local payload = popped[j]
    if not must_be_tried(payload, trials) then
      kept = kept + 1
      popped[kept] = payload
    elseif state == 'resting' then
      held[#held + 1] = {queue, payload}
    else
      reply[1], full = 2, true
      local alone = empty and kept == 0 and taken == 0
      put_back(queue, popped, alone and j + 1 or j)
      if alone then
        popped[j] = nil
        try(queue, payload)
        return true
      end
      begin_drain(inflight, queue.key)
      break
    end
  end
  for j = #popped, kept + 1, -1 do popped[j] = nil end
  return false
end

-- Takes up to `want` jobs of a queue. Returns whether there are more, and the largest one's bytes.
local function take_some(queue, want)
  local popped = ask(queue, queue.pop, want)
  if not popped then return false end
  local more = #popped == want
  if keep_unsuspected(queue, popped) then return false end
  local keep, biggest = bound(queue, popped)
  if keep > 0 then
    tell(queue, store(queue, popped))
    taken = taken + keep
  end
  if taken >= limit or bytes >= byte_limit then full = true end
  if #held >= held_most then
    unseen = unseen or more
    more = false
  end
  return more, biggest
end

-- Takes up to `most` jobs of a queue.
local function take(queue, most)
  if is_paused(queue) then return end
  local target = math.min(limit, taken + most)
  local oldest = ask(queue, 'LINDEX', queue.next_at)
  local more, biggest = oldest, oldest and #oldest
  while more and taken < target do
    local step = room(biggest, 16)
    if full then break end
    more, biggest = take_some(queue, math.min(target - taken, step))
  end
  unseen = unseen or more
end

-- Either the suspect for which the table was emptied is still there, or another holder was faster.
local function take_drained()
  local key = end_drain(inflight)
  for n = 1, count do
    local queue = queue_at(n)
    if queue.key == key and not is_paused(queue) then
      local popped = ask(queue, queue.pop, 1)
      if popped and must_be_tried(popped[1], trials) then return try(queue, popped[1]) end
      if popped then put_back(queue, popped, 1) end
      return
    end
  end
end

if state == 'drained' then take_drained() end
walk(take)
if #held > 0 then
  reply[1] = 2
  -- They remain suspects as long as they are here.
  redis.call('EXPIRE', trials, suspicion_seconds)
  -- Where there are only suspects, a trial keeps nobody waiting.
  local next_one = 1
  if empty and taken == 0 and not unseen then
    try(unpack(held[1]))
    next_one = 2
  end
  -- The others go to the back, letting pass the jobs that came after them.
  for j = next_one, #held do
    local queue, payload = unpack(held[j])
    redis.call(queue.push, queue.key, payload)
  end
end
return reply
