-- Moves jobs from the queues, in the given order, to the holder's in-flight table.
-- A job that must be tried (trial.lua) is taken only as the holder's only one, and then nothing else for a while.
-- A queue whose key is no list is passed over.
-- KEYS: 1 in-flight table, 2 leases, 3 paused queues, 4 suspects, 5 trials, 6... the queues
-- ARGV: 1 holder, 2 claim number, 3 first token, 4 most jobs, 5 most bytes,
--       6 most jobs while there are suspects, 7 most jobs of a parcel (see parcel.lua; 0: none),
--       8 from how many bytes on a payload is large (see large.lua; 0: none is), 9 for each queue 1 if its next job
--       probably is, else 0,
--       10... the queues' bare names, then shares: index of a queue and most jobs of it, for as many as there are
-- What the shares leave open is taken in the order of the queues.
-- Returns {0, index, {payload...}, index, parcel, index, 1, index, 2...}, tokens counting up from the first: 1 stands for
-- a large payload, to be had from its list, and 2 for a queue that was passed over; with 2 instead of 0 at the beginning
-- when jobs had to stay for a trial;
-- or, for a claim that was executed before, {1, token, queue, payload, token, ...}. For one with a lower number than
-- the last the same with 3: it was executed, and what it took is found by its tokens, or it comes late, from a
-- connection that its client has given up, and must take nothing.
local inflight, number, first, limit = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local byte_limit, parcel, large = tonumber(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return redis.error_reply('LEASELOST another process took over')
end

local last = tonumber(redis.call('HGET', inflight, '#claim') or '-1')
if number <= last then
  redis.call('PERSIST', inflight)
  open_parcels(inflight)
  local found = {}
  for _, field in ipairs(redis.call('HKEYS', inflight)) do
    local token = tonumber(string.match(field, '^(%d+):'))
    if token and token >= first and token < first + limit then found[#found + 1] = {token, field} end
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  local reply = {number == last and 1 or 3}
  for _, entry in ipairs(found) do
    reply[#reply + 1] = tostring(string.format('%d', entry[1]))
    reply[#reply + 1] = string.match(entry[2], ':(.*)$')
    reply[#reply + 1] = payload_of(inflight, entry[2])
  end
  return reply
end

-- Redis checks maxmemory only before a script's first write, and PERSIST is never refused for it:
-- a full Redis must be drained. The number is written before anything is popped, so that a user
-- without the right to HSET fails while the jobs are still in their queues.
redis.call('PERSIST', inflight)
redis.call('HSET', inflight, '#claim', ARGV[2])

local suspects, trials = redis.call('EXISTS', KEYS[4]) == 1, redis.call('EXISTS', KEYS[5]) == 1
if suspects then limit = math.min(limit, tonumber(ARGV[6])) end
local state = 'ready'
if suspects or trials then
  state = trial_state(inflight)
  if state == 'alone' or state == 'draining' then return {2} end
end
-- Each payload must be looked at.
if trials then large = 0 end
local looks = trials or state == 'drained'
local empty = looks and not has_jobs(inflight)
if looks then
  -- What is popped and not taken must go back, whatever rights there are.
  must_be_tried('', KEYS[5])
  preflight_push(scratch_key(inflight), 'RPUSH')
  preflight_push(scratch_key(inflight), 'LPUSH')
end

local reply, taken, bytes, full = {0}, 0, 0, limit < 1
-- Suspects that were popped and are not to be tried now, and whether any queue may have more than was seen.
local held, held_most, unseen = {}, 100, false
-- How many large payloads the table has, once that is asked.
local beside

-- Asks a queue for something. Of one that is no list nothing comes, and the answer is as if it were empty.
local passed_over = {}
local function ask(i, command, ...)
  local answer = redis.pcall(command, KEYS[i], ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  -- Anything else is no matter of this queue, and is told as it is.
  if not string.find(answer.err, 'WRONGTYPE', 1, true) then return redis.call(command, KEYS[i], ...) end
  if not passed_over[i] then
    passed_over[i] = true
    reply[#reply + 1] = i - 6
    reply[#reply + 1] = 2
  end
  return false
end

-- Puts jobs from `from` on back to where they were popped, still the same instant for everybody else. They stay in
-- `popped` if that cannot be done.
local function put_back(i, popped, from)
  local excess = {}
  for j = #popped, from, -1 do excess[#excess + 1] = popped[j] end
  if #excess == 0 then return true end
  local pushed = redis.pcall('RPUSH', KEYS[i], unpack(excess))
  if type(pushed) == 'table' and pushed.err then return false end
  for j = #popped, from, -1 do popped[j] = nil end
  return true
end

local function tell(i, jobs)
  reply[#reply + 1] = i - 6
  reply[#reply + 1] = jobs
end

-- Takes a job that must be tried, as the holder's only one.
local function try(i, payload)
  local field = string.format('%d:%s', first, ARGV[i + 4])
  redis.call('HSET', inflight, field, payload)
  put_on_trial(inflight, field, payload, KEYS[5], KEYS[4])
  end_drain(inflight)
  tell(i, {payload})
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

-- Writes jobs into the table, and returns what the holder is told of them.
local function store(jobs, token, name)
  if #jobs > 1 and #jobs <= parcel and not trials then
    local packed = cmsgpack.pack(jobs)
    redis.call('HSET', inflight, string.format('%d+%d:%s', token, #jobs, name), packed)
    return packed
  end
  local fields = {}
  for j, payload in ipairs(jobs) do
    fields[2 * j - 1] = string.format('%d:%s', token + j - 1, name)
    fields[2 * j] = payload
  end
  redis.call('HSET', inflight, unpack(fields))
  return jobs
end

local any_paused = redis.call('EXISTS', KEYS[3]) == 1
local function is_paused(name) return any_paused and redis.call('SISMEMBER', KEYS[3], name) == 1 end

-- How many to pop at once: big payloads must not pile up here only to be pushed back. Where not even one of such a size
-- would fit, the claim is full.
local function room(size, most)
  local fitting = math.floor((byte_limit - bytes) / math.max(size, 1))
  if fitting < 1 then
    full = taken > 0
    return 1
  end
  return math.min(most, fitting)
end

-- Takes the next job of a queue without looking at it, unless it does not fit. Returns how many bytes it has, about, 0
-- when there is none, and nothing when that cannot be done: a right may be missing, or this be no list.
local function take_large(i, name)
  local field = string.format('%d:%s', first + taken, name)
  local own = large_key(inflight, field)
  preflight_hdel(inflight)
  redis.call('UNLINK', own)
  local copied = redis.pcall('SORT', KEYS[i], 'BY', 'nosort', 'LIMIT', 0, 1, 'DESC', 'STORE', own)
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
  if redis.pcall('LTRIM', KEYS[i], 0, -2).err then
    redis.call('HDEL', inflight, field)
    forget_large(inflight, {field})
    return
  end
  tell(i, 1)
  taken, bytes, beside = taken + 1, bytes + size, beside + 1
  if taken >= limit or bytes >= byte_limit then full = true end
  return size
end

-- Keeps of the popped what may be taken in one claim. Returns how many are kept, and the largest one's bytes.
local function bound(i, popped)
  local biggest = 1
  for j = 1, #popped do
    local size = #popped[j]
    if bytes + size > byte_limit and taken + j > 1 then
      full = true
      if put_back(i, popped, j) then break end
    end
    bytes = bytes + size
    if size > biggest then biggest = size end
  end
  return #popped, biggest
end

-- Takes up to `want` jobs of a queue. Returns whether there are more, and the bytes of the largest and of the last one.
local function take_some(i, name, want)
  local popped = ask(i, 'RPOP', want)
  if not popped then return false end
  local more = #popped == want
  if trials and keep_unsuspected(i, popped) then return false end
  local keep, biggest = bound(i, popped)
  local last = keep > 0 and #popped[keep] or 0
  if keep > 0 then
    tell(i, store(popped, first + taken, name))
    taken = taken + keep
  end
  if taken >= limit or bytes >= byte_limit then full = true end
  if #held >= held_most then
    unseen = unseen or more
    more = false
  end
  return more, biggest, last
end

-- How many of up to `want` jobs to pop at first, and whether they are large instead.
local function look(i, want)
  if want == 1 then return 1 end
  local oldest = ask(i, 'LINDEX', -1)
  if not oldest then return 0 end
  return room(#oldest, 16), large > 0 and #oldest >= large
end

-- Takes up to so many jobs of a queue.
local function take(i, most)
  local name, target = ARGV[i + 4], math.min(limit, taken + most)
  if is_paused(name) then return end
  local more, step, biggest, last = true, nil, nil, nil
  local is_large = large > 0 and string.sub(ARGV[9], i - 5, i - 5) == '1'
  while more and taken < target do
    if not (step or is_large) then step, is_large = look(i, target - taken) end
    if full or step == 0 then break end
    if is_large then
      last = take_large(i, name)
      if not last then large = 0 end
      more, biggest = last ~= 0, last
    else
      more, biggest, last = take_some(i, name, math.min(target - taken, step))
    end
    local fitting = biggest and room(biggest, 128)
    -- One large payload says nothing about how many small ones to pop.
    step = not is_large and fitting
    is_large = large > 0 and last and last >= large
  end
  unseen = unseen or (more and step ~= 0)
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
for at = #KEYS + 5, #ARGV, 2 do
  if full then break end
  take(tonumber(ARGV[at]) + 6, tonumber(ARGV[at + 1]))
end
for i = 6, #KEYS do
  if full then break end
  take(i, limit)
end
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
