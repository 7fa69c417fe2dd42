-- Puts a bounded number of an orphan's jobs back at the popping end of their queues, newest first, so that the oldest
-- is popped next. A job that was recovered too often is left in the table and returned instead: settle.lua takes it
-- once its payload has been marked.
-- The names of the queues and of the counters are in the table, so they cannot be declared in KEYS.
-- One of the jobs may have killed its process, and may do so again: for a while, claims take no more than can start at
-- once (claim.lua), so that the others are not counted along with it. A job whose next recovery would be one too many
-- goes on trial (trial.lua). If it was the only one of its process when that died again, it is a poison pill; if not,
-- it is tried again.
-- KEYS: 1 in-flight table, 2 orphans, 3 suspects, 4 trials, 5... for each dialect the set in which its queues are
--       registered
-- ARGV: 1 holder, 2 most jobs, 3 most bytes, 4 recoveries that make a poison pill, 5 prefix of a counter's key,
--       6 seconds that a counter lives, 7 seconds that claims are careful, then for each dialect: what its queues' keys
--       begin with, and the end from which they are popped, L or R
-- Returns {done, requeued, field, payload, field, payload...}
local inflight, orphans, suspects, trials = unpack(KEYS, 1, 4)
local holder, most, most_bytes, pill = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local counters, remembered, suspicion = ARGV[5], ARGV[6], ARGV[7]
local dialects = {}
for n = 1, #KEYS - 4 do
  dialects[n] = {registry = KEYS[4 + n], prefix = ARGV[6 + 2 * n], push = ARGV[7 + 2 * n] == 'L' and 'LPUSH' or 'RPUSH'}
end

-- Puts a job back to where it was popped. Returns Redis's error if that cannot be done.
local function put_back(queue, payload)
  local found
  for _, dialect in ipairs(dialects) do
    local starts = string.sub(queue, 1, #dialect.prefix) == dialect.prefix
    if starts and (not found or #dialect.prefix > #found.prefix) then found = dialect end
  end
  if not found then return redis.error_reply('ERR no queue that this version knows has the key ' .. queue) end
  local pushed = redis.pcall(found.push, queue, payload)
  if type(pushed) == 'table' and pushed.err then return pushed end
  -- The job is in its queue: nothing that follows may keep the others from theirs.
  redis.pcall('SADD', found.registry, string.sub(queue, #found.prefix + 1))
end

-- Not an orphan, or no longer: its jobs are not ours to move.
if not redis.call('ZSCORE', orphans, holder) then return {1, 0} end
redis.call('PERSIST', inflight)
open_parcels(inflight)

local fields = {}
for _, field in ipairs(redis.call('HKEYS', inflight)) do
  local token = tonumber(string.match(field, '^(%d+):'))
  if token then fields[#fields + 1] = {token, field} end
end
table.sort(fields, function(a, b) return a[1] > b[1] end)

local blamed = redis.call('HGET', inflight, '#blamed')
if #fields > 0 and redis.call('HEXISTS', inflight, '#moved') == 0 then
  -- Recorded now, since a later step finds fewer jobs.
  if #fields == 1 and fields[1][2] == redis.call('HGET', inflight, '#trial') then
    blamed = fields[1][2]
    redis.call('HSET', inflight, '#blamed', blamed)
  end
  -- From here on a late renewal is too late (lease.lua).
  redis.call('HSET', inflight, '#moved', '1')
end
preflight_hdel(inflight)
redis.call('UNLINK', scratch_key(inflight))

-- Counts that a process died while it had this job.
local function suspect(payload)
  local sha = redis.sha1hex(payload)
  local times = redis.pcall('INCR', counters .. sha)
  if type(times) ~= 'number' then return end
  redis.pcall('EXPIRE', counters .. sha, remembered)
  if times + 1 >= pill then
    redis.pcall('SADD', trials, sha)
    redis.pcall('EXPIRE', trials, suspicion)
  end
end

-- A queue that cannot be pushed to must not hold up the jobs of the others.
local requeued, bytes, poisoned, broken, refused = 0, 0, {}, nil, {}
for i = 1, #fields do
  if requeued + #poisoned / 2 >= most or bytes >= most_bytes then break end
  local field = fields[i][2]
  local queue = string.match(field, '^%d+:(.*)$')
  if field == blamed then
    poisoned[#poisoned + 1] = field
    poisoned[#poisoned + 1] = payload_of(inflight, field)
  elseif not refused[queue] then
    local payload = payload_of(inflight, field)
    local said = put_back(queue, payload)
    if said then
      broken, refused[queue] = said, true
    else
      redis.call('HDEL', inflight, field)
      forget_large(inflight, {field})
      bytes = bytes + #payload
      requeued = requeued + 1
      suspect(payload)
    end
  end
end

if requeued > 0 then redis.pcall('SET', suspects, holder, 'EX', suspicion) end
local done = 0
if requeued == #fields then
  redis.call('UNLINK', inflight)
  redis.call('ZREM', orphans, holder)
  done = 1
end
-- Moves this orphan behind the others: only some of the orphans are looked at in a round.
if broken then
  local time = redis.call('TIME')
  redis.call('ZADD', orphans, 'XX', string.format('%d.%06d', tonumber(time[1]), tonumber(time[2])), holder)
end
if broken and requeued == 0 and #poisoned == 0 then return broken end
return {done, requeued, unpack(poisoned)}
