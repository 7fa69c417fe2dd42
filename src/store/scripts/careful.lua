-- A claim while some jobs may have brought down a process (claim.lua and trial.lua, which come before this). It takes
-- no more than can start at once, each job as a field of its own. One that must be tried it takes only as the holder's
-- only one, and then nothing else for a while.
limit = math.min(limit, tonumber(ARGV[6]))
local state = trial_state(inflight)
if state == 'alone' or state == 'draining' then return {2} end

-- What is popped and not taken must go back, whatever rights there are.
must_be_tried('', KEYS[5])
preflight_push(scratch_key(inflight), 'RPUSH')
preflight_push(scratch_key(inflight), 'LPUSH')

local empty = not has_jobs(inflight)
-- Suspects that were popped and are not to be tried now, and whether any queue may have more than was seen.
local held, held_most, unseen = {}, 100, false

-- Takes a job that must be tried, as the holder's only one.
local function try(i, payload)
  tell(i, store({payload}, ARGV[i + 4]))
  put_on_trial(inflight, string.format('%d:%s', first, ARGV[i + 4]), payload, KEYS[5], KEYS[4])
  end_drain(inflight)
  taken, full = 1, true
end

-- Leaves in `popped` what may be taken beside others. Returns whether one of them was taken for a trial instead.
local function keep_unsuspected(i, popped)
  local kept = 0
  for j = 1, #popped do
    local payload = popped[j]
    if not must_be_tried(payload, KEYS[5]) then
      kept = kept + 1
      popped[kept] = payload
    elseif state == 'resting' then
      held[#held + 1] = {i, payload}
    else
      reply[1], full = 2, true
      local alone = empty and kept == 0 and taken == 0
      put_back(i, popped, alone and j + 1 or j)
      if alone then
        popped[j] = nil
        try(i, payload)
        return true
      end
      begin_drain(inflight, ARGV[i + 4])
      break
    end
  end
  for j = #popped, kept + 1, -1 do popped[j] = nil end
  return false
end

-- Takes up to `want` jobs of a queue. Returns whether there are more, and the largest one's bytes.
local function take_some(i, want)
  local popped = ask(i, 'RPOP', want)
  if not popped then return false end
  local more = #popped == want
  if keep_unsuspected(i, popped) then return false end
  local keep, biggest = bound(i, popped)
  if keep > 0 then
    tell(i, store(popped, ARGV[i + 4]))
    taken = taken + keep
  end
  if taken >= limit or bytes >= byte_limit then full = true end
  if #held >= held_most then
    unseen = unseen or more
    more = false
  end
  return more, biggest
end

-- Takes up to so many jobs of a queue.
local function take(i, most)
  if is_paused(ARGV[i + 4]) then return end
  local target = math.min(limit, taken + most)
  local oldest = ask(i, 'LINDEX', -1)
  local more, biggest = oldest, oldest and #oldest
  while more and taken < target do
    local step = room(biggest, 16)
    if full then break end
    more, biggest = take_some(i, math.min(target - taken, step))
  end
  unseen = unseen or more
end

-- The suspect for which the table has become empty is still there, or somebody else was faster.
local function take_drained()
  local name = end_drain(inflight)
  for i = 6, #KEYS do
    if ARGV[i + 4] == name and not is_paused(name) then
      local popped = ask(i, 'RPOP', 1)
      if popped and must_be_tried(popped[1], KEYS[5]) then return try(i, popped[1]) end
      if popped then put_back(i, popped, 1) end
      return
    end
  end
end

if state == 'drained' then take_drained() end
walk(take)
if #held > 0 then
  reply[1] = 2
  -- They are suspects as long as they are here.
  redis.call('EXPIRE', KEYS[5], suspicion_seconds)
  -- Nobody is kept waiting by a trial where there are only suspects.
  local next_one = 1
  if empty and taken == 0 and not unseen then
    try(unpack(held[1]))
    next_one = 2
  end
  -- The others let pass what came after them.
  for j = next_one, #held do redis.call('LPUSH', KEYS[held[j][1]], held[j][2]) end
end
return reply
