-- Moves jobs from the queues, in the given order, to the holder's in-flight table: the part that both ways, plain.lua
-- and careful.lua, have in common. A queue whose key is no list is passed over.
-- KEYS: 1 in-flight table, 2 leases, 3 paused queues, 4 suspects, 5 trials, 6... the queues
-- ARGV: 1 holder, 2 claim number, 3 first token, 4 most jobs, 5 most bytes,
--       6 most jobs of a careful claim, 0 for a plain one, 7 most jobs of a parcel (see parcel.lua; 0: none),
--       8 from how many bytes on a payload is large (see large.lua; 0: none is), 9 for each queue 1 if its next job is
--       probably large, else 0, 10 for each queue the end at which its next job is, L or R,
--       11... each queue's name among the paused ones, then shares: index of a queue and most jobs of it, for as many
--       as there are
-- What the shares leave open is taken in the order of the queues.
-- Returns {0, index, {payload...}, index, parcel, index, 1, index, 2...}, tokens counting up from the first: 1 stands
-- for a large payload, to be fetched from its list, and 2 for a queue that was passed over; with 2 instead of 0 at the
-- beginning when jobs had to stay for a trial;
-- or {4}, and has done nothing: a plain claim must be careful;
-- or, for a claim that was executed before, {1, token, queue's key, payload, token, ...}. For one with a lower number
-- than the last, the same with 3: either it was executed, and what it took is found by its tokens, or it comes late,
-- from a connection that its client has given up, and must take nothing.
local inflight, leases, paused, suspects, trials = unpack(KEYS, 1, 5)
local holder, number, first, limit, byte_limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]),
  tonumber(ARGV[5])
local careful_limit, parcel, large, marks, all_ends = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9],
  ARGV[10]
local count = #KEYS - 5
local first_share = 11 + count

-- By position in the claim, from 1 on; built when first needed.
local queues = {}
local function queue_at(n)
  local queue = queues[n]
  if not queue then
    local at = ends[string.sub(all_ends, n, n)]
    queue = {
      index = n - 1, key = KEYS[5 + n], name = ARGV[10 + n], seems_large = string.sub(marks, n, n) == '1',
      pop = at.pop, put_back = at.put_back, push = at.push, next_at = at.next_at,
    }
    queues[n] = queue
  end
  return queue
end

if not redis.call('ZSCORE', leases, holder) then
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

if careful_limit == 0 and redis.call('EXISTS', suspects, trials) > 0 then return {4} end

-- Redis checks maxmemory only before a script's first write, and PERSIST is never refused for it: it must be possible
-- to drain a full Redis. The number is written before anything is popped, so that a user without the right to HSET
-- fails while the jobs are still in their queues.
redis.call('PERSIST', inflight)
redis.call('HSET', inflight, '#claim', number)

local reply, taken, bytes, full = {0}, 0, 0, limit < 1

local any_paused = redis.call('EXISTS', paused) == 1
local function is_paused(queue) return any_paused and is_member(paused, queue.name) end

local function tell(queue, jobs)
  reply[#reply + 1] = queue.index
  reply[#reply + 1] = jobs
end

-- Sends a queue a command. One whose key is no list yields nothing, and the reply is as if it were empty.
local function ask(queue, command, ...)
  local answer = redis.pcall(command, queue.key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  -- Any other error is not about this queue, and is raised as it is.
  if not string.find(answer.err, 'WRONGTYPE', 1, true) then return redis.call(command, queue.key, ...) end
  if not queue.passed_over then
    queue.passed_over = true
    tell(queue, 2)
  end
  return false
end

-- How many to pop at once: big payloads must not pile up here only to be pushed back. Where not even one of this size
-- would fit, the claim is full.
local function room(size, most)
  local fitting = math.floor((byte_limit - bytes) / math.max(size, 1))
  if fitting < 1 then
    full = taken > 0
    return 1
  end
  return math.min(most, fitting)
end

-- Puts jobs from `from` on back to where they were popped, which to all other clients is the same instant. They stay in
-- `popped` if that cannot be done.
local function put_back(queue, popped, from)
  local excess = {}
  for j = #popped, from, -1 do excess[#excess + 1] = popped[j] end
  if #excess == 0 then return true end
  local pushed = redis.pcall(queue.put_back, queue.key, unpack(excess))
  if type(pushed) == 'table' and pushed.err then return false end
  for j = #popped, from, -1 do popped[j] = nil end
  return true
end

-- Keeps, of the popped jobs, those that one claim may take. Returns how many are kept, and the largest one's bytes.
local function bound(queue, popped)
  local biggest = 1
  for j = 1, #popped do
    local size = #popped[j]
    if bytes + size > byte_limit and taken + j > 1 then
      full = true
      if put_back(queue, popped, j) then break end
    end
    bytes = bytes + size
    if size > biggest then biggest = size end
  end
  return #popped, biggest
end

-- Writes jobs into the table, one field each, and returns them.
local function store(queue, jobs)
  local fields = {}
  for j, payload in ipairs(jobs) do
    fields[2 * j - 1] = string.format('%d:%s', first + taken + j - 1, queue.key)
    fields[2 * j] = payload
  end
  redis.call('HSET', inflight, unpack(fields))
  return jobs
end

-- Goes through the queues until the claim is full: first by the shares, then in their order. `take` takes up to the
-- given number of jobs of a queue.
local function walk(take)
  for at = first_share, #ARGV, 2 do
    if full then break end
    take(queue_at(tonumber(ARGV[at]) + 1), tonumber(ARGV[at + 1]))
  end
  for n = 1, count do
    if full then break end
    take(queue_at(n), limit)
  end
end
