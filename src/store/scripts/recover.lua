-- Puts a bounded part of an orphan's jobs back at the popping end of their queues, newest first, so
-- that the oldest is popped next. A job that was recovered too often is left in the table and
-- returned instead: bury.lua takes it, once its payload has been marked.
-- The names of the queues and of the counters are in the table, so they cannot be declared in KEYS.
-- One of the jobs may have killed its process, and will again: for a while, claims take no more than they
-- can start at once (claim.lua), so that the others are not counted along with it.
-- A job whose next recovery would be one too many goes on trial: it is claimed as the only one of its kind
-- (claim.lua). If its process dies again, the blame is its alone; nobody is buried without a trial.
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
-- From here on a late renewal comes too late (lease.lua).
if #fields > 0 then redis.call('HSET', inflight, '#moved', '1') end
table.sort(fields, function(a, b) return a[1] > b[1] end)

local trial = redis.call('HGET', inflight, '#trial')
-- Marked, for the steps after the one that takes the job out.
if trial and redis.call('HEXISTS', inflight, trial) == 1 then redis.call('HSET', inflight, '#blamed', trial) end
local blamed = redis.call('HGET', inflight, '#blamed')

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
      redis.call('SADD', KEYS[3], queue)
      bytes = bytes + #payload
      requeued = requeued + 1
      if not blamed then
        local sha = redis.sha1hex(payload)
        local counter = ARGV[6] .. sha
        local times = redis.call('INCR', counter)
        redis.call('EXPIRE', counter, ARGV[7])
        if times + 1 >= pill then
          redis.call('SADD', KEYS[5], sha)
          redis.call('EXPIRE', KEYS[5], ARGV[8])
        end
      end
    end
  end
end

if requeued > 0 then redis.call('SET', KEYS[4], ARGV[1], 'EX', ARGV[8]) end
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
