-- Puts a bounded part of an orphan's jobs back at the popping end of their queues, newest first, so
-- that the oldest is popped next. A job that was recovered too often is left in the table and
-- returned instead: bury.lua takes it, once its payload has been marked.
-- The names of the queues and of the counters are in the table, so they cannot be declared in KEYS.
-- One of the jobs may have killed its process, and will again: for a while, claims take no more than they
-- can start at once (claim.lua), so that the others are not counted along with it.
-- A job whose next recovery would be one too many goes on trial (trial.lua). If it was the only one of its process when
-- that died again, it is a poison pill; in company it is tried again.
-- KEYS: 1 in-flight table, 2 orphans, 3 queues, 4 suspects, 5 trials
-- ARGV: 1 holder, 2 most jobs, 3 most bytes, 4 recoveries that make a poison pill, 5 prefix of a
--       queue's key, 6 prefix of a counter's key, 7 seconds that a counter lives,
--       8 seconds that claims are careful
-- Returns {done, requeued, field, payload, field, payload...}
local inflight, most, most_bytes, pill = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- Not an orphan, or no longer: its jobs are not ours to move.
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {1, 0} end
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
  -- Noted, since a later step finds fewer of them.
  if #fields == 1 and fields[1][2] == redis.call('HGET', inflight, '#trial') then
    blamed = fields[1][2]
    redis.call('HSET', inflight, '#blamed', blamed)
  end
  -- From here on a late renewal comes too late (lease.lua).
  redis.call('HSET', inflight, '#moved', '1')
end
preflight_hdel(inflight)
redis.call('UNLINK', scratch_key(inflight))

-- Counts that the process died under this job.
local function suspect(payload)
  local sha = redis.sha1hex(payload)
  local times = redis.pcall('INCR', ARGV[6] .. sha)
  if type(times) ~= 'number' then return end
  redis.pcall('EXPIRE', ARGV[6] .. sha, ARGV[7])
  if times + 1 >= pill then
    redis.pcall('SADD', KEYS[5], sha)
    redis.pcall('EXPIRE', KEYS[5], ARGV[8])
  end
end

-- A queue that cannot be pushed to must not keep the jobs of the others.
local requeued, bytes, poisoned, broken, refused = 0, 0, {}, nil, {}
for i = 1, #fields do
  if requeued + #poisoned / 2 >= most or bytes >= most_bytes then break end
  local field = fields[i][2]
  local queue = string.match(field, ':(.*)$')
  if field == blamed then
    poisoned[#poisoned + 1] = field
    poisoned[#poisoned + 1] = payload_of(inflight, field)
  elseif not refused[queue] then
    local payload = payload_of(inflight, field)
    local pushed = redis.pcall('RPUSH', ARGV[5] .. queue, payload)
    if type(pushed) == 'table' and pushed.err then
      broken, refused[queue] = pushed, true
    else
      redis.call('HDEL', inflight, field)
      forget_large(inflight, {field})
      -- It is in its queue: nothing of what follows may keep the others from theirs.
      redis.pcall('SADD', KEYS[3], queue)
      bytes = bytes + #payload
      requeued = requeued + 1
      suspect(payload)
    end
  end
end

if requeued > 0 then redis.pcall('SET', KEYS[4], ARGV[1], 'EX', ARGV[8]) end
local done = 0
if requeued == #fields then
  redis.call('UNLINK', inflight)
  redis.call('ZREM', KEYS[2], ARGV[1])
  done = 1
end
-- Behind the others: only some of the orphans are looked at in a round.
if broken then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], 'XX', string.format('%d.%06d', tonumber(time[1]), tonumber(time[2])), ARGV[1])
end
if broken and requeued == 0 and #poisoned == 0 then return broken end
return {done, requeued, unpack(poisoned)}
