-- Moves jobs from the queues, in the given order, to the holder's in-flight table.
-- A job on trial (recover.lua) is the only such job of its holder: should the process die, it is known which one
-- did it. Others of the kind stay in their queues until it has ended, or another process takes them.
-- KEYS: 1 in-flight table, 2 leases, 3 paused queues, 4 suspects, 5 trials, 6... the queues
-- ARGV: 1 holder, 2 claim number, 3 first token, 4 most jobs, 5 most bytes,
--       6 most jobs while there are suspects, 7 most jobs of a parcel (see parcel.lua; 0: none),
--       8 from how many bytes on a payload is large (see large.lua; 0: none is), 9 for each queue 1 if its next job
--       probably is, else 0,
--       10... the queues' bare names, then shares: index of a queue and most jobs of it, for as many as there are
-- What the shares leave open is taken in the order of the queues.
-- Returns {0, index, {payload...}, index, parcel, index, 1...}, tokens counting up from the first: 1 stands for a large
-- payload, to be had from its list; with 2 instead of 0 when jobs had to stay for a trial;
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

if redis.call('EXISTS', KEYS[4]) == 1 then limit = math.min(limit, tonumber(ARGV[6])) end
local trials, trying, held_most = redis.call('EXISTS', KEYS[5]) == 1, false, 100
if trials then
  trying = on_trial(inflight)
  -- Each payload must be looked at.
  large = 0
end

-- What may be taken of the popped, which of it goes on trial, and what stays.
local function part(popped, held)
  local rest, trial = {}, nil
  for _, payload in ipairs(popped) do
    local suspect = must_be_tried(payload, KEYS[5])
    if suspect and (trying or trial) then
      held[#held + 1] = payload
    else
      rest[#rest + 1] = payload
      if suspect then trial = #rest end
    end
  end
  return rest, trial
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
local reply, taken, bytes, full = {0}, 0, 0, limit < 1
-- How many large payloads the table has, once that is asked.
local beside

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
  reply[#reply + 1] = i - 6
  reply[#reply + 1] = 1
  taken, bytes, beside = taken + 1, bytes + size, beside + 1
  if taken >= limit or bytes >= byte_limit then full = true end
  return size
end

-- Keeps of the popped what may be taken in one claim, and puts the others back to where they came from; still the same
-- instant for everybody else. Returns how many are kept, and the largest one's bytes.
local function bound(i, popped)
  local count, keep, biggest = #popped, #popped, 1
  for j = 1, count do
    local size = #popped[j]
    if bytes + size > byte_limit and taken + j > 1 then
      keep, full = j - 1, true
      break
    end
    bytes = bytes + size
    if size > biggest then biggest = size end
  end
  if keep < count then
    local excess = {}
    for j = count, keep + 1, -1 do
      excess[#excess + 1] = popped[j]
      popped[j] = nil
    end
    redis.call('RPUSH', KEYS[i], unpack(excess))
  end
  return keep, biggest
end

-- Takes up to `want` jobs of a queue. Returns whether there are more, and the bytes of the largest and of the last one.
local function take_some(i, name, want, held)
  local popped = redis.call('RPOP', KEYS[i], want)
  if not popped then return false end
  local more, trial = #popped == want, nil
  if trials then popped, trial = part(popped, held) end
  local keep, biggest = bound(i, popped)
  local last = keep > 0 and #popped[keep] or 0
  if keep > 0 then
    reply[#reply + 1] = i - 6
    reply[#reply + 1] = store(popped, first + taken, name)
    if trial and trial <= keep then
      put_on_trial(inflight, string.format('%d:%s', first + taken + trial - 1, name), popped[trial], KEYS[5])
      trying = true
    end
    taken = taken + keep
  end
  if taken >= limit or bytes >= byte_limit then full = true end
  return more and #held < held_most, biggest, last
end

-- How many of up to `want` jobs to pop at first, and whether they are large instead.
local function look(i, want)
  if want == 1 then return 1 end
  local oldest = redis.call('LINDEX', KEYS[i], -1)
  if not oldest then return 0 end
  return room(#oldest, 16), large > 0 and #oldest >= large
end

-- Takes up to so many jobs of a queue.
local function take(i, most)
  local name, held, target = ARGV[i + 4], {}, math.min(limit, taken + most)
  if any_paused and redis.call('SISMEMBER', KEYS[3], name) == 1 then return end
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
      more, biggest, last = take_some(i, name, math.min(target - taken, step), held)
    end
    local fitting = biggest and room(biggest, 128)
    -- One large payload says nothing about how many small ones to pop.
    step = not is_large and fitting
    is_large = large > 0 and last and last >= large
  end
  if #held > 0 then
    reply[1] = 2
    for j = #held, 1, -1 do redis.call('RPUSH', KEYS[i], held[j]) end
  end
end

for at = #KEYS + 5, #ARGV, 2 do
  if full then break end
  take(tonumber(ARGV[at]) + 6, tonumber(ARGV[at + 1]))
end
for i = 6, #KEYS do
  if full then break end
  take(i, limit)
end
return reply
