-- Carries out what became of jobs that did not simply succeed, each only if it is still the holder's.
-- KEYS: 1 in-flight table, 2 retry, 3 dead, 4 queues, 5 stat:processed, 6 stat:processed of the day,
--       7 stat:failed, 8 stat:failed of the day, 9 trials (trial.lua), 10... queues to push to
-- ARGV: 1 now, 2 death before which dead jobs are dropped, 3 most dead jobs, 4 the day's expiry,
--       5 seconds that a trial is waited for, then per job: field, operation, index into KEYS (or 0),
--       bare queue name, score, payload
-- Operations: f failed, s skipped, r retry, d dead, m malformed, i interrupted, b back, q requeued,
--             v moved. Returns one 0 or 1 per job, and one 1 more if the dead set is not yet trimmed.
local inflight = KEYS[1]
local count = (#ARGV - 5) / 6
local done, processed, failed, buried, broken = {}, 0, 0, false, nil

local trial = redis.call('HGET', inflight, '#trial')
-- Makes the script one that has written, which a full Redis no longer refuses (see claim.lua).
redis.call('PERSIST', inflight)
preflight_hdel(inflight)
redis.call('UNLINK', scratch_key(inflight))

local function settle(n)
  local at = 5 + (n - 1) * 6
  local field, op, key, queue, score, payload = unpack(ARGV, at + 1, at + 6)
  done[n] = 0
  if redis.call('HEXISTS', inflight, field) == 0 then return end
  -- Written first and removed after: a push that fails (a key of a wrong type, a missing right)
  -- leaves the job in the table.
  local wrote, claimed = 1, nil
  if op == 'r' then
    wrote = redis.pcall('ZADD', KEYS[2], score, payload)
  elseif op == 'd' then
    wrote = redis.pcall('ZADD', KEYS[3], ARGV[1], payload)
  elseif op == 'm' then
    wrote = redis.pcall('ZADD', KEYS[3], ARGV[1], payload_of(inflight, field))
  elseif op == 'i' or op == 'b' then
    claimed = payload_of(inflight, field)
    wrote = redis.pcall('RPUSH', KEYS[tonumber(key)], claimed)
    redis.pcall('SADD', KEYS[4], queue)
  elseif op == 'q' or op == 'v' then
    wrote = redis.pcall('LPUSH', KEYS[tonumber(key)], payload)
    redis.pcall('SADD', KEYS[4], queue)
  end
  if type(wrote) == 'table' and wrote.err then
    broken = wrote
    return
  end
  if op == 'b' and field == trial then
    -- It did not begin, so its trial is still to come. It is in its queue: nothing may keep it from leaving the table.
    redis.pcall('SADD', KEYS[9], redis.sha1hex(claimed))
    redis.pcall('EXPIRE', KEYS[9], ARGV[5])
    redis.call('HDEL', inflight, '#trial')
  end
  if op == 'd' or op == 'm' then buried = true end
  redis.call('HDEL', inflight, field)
  forget_large(inflight, {field})
  done[n] = 1
  if op ~= 'b' and op ~= 'm' and op ~= 'v' then
    processed = processed + 1
    if op ~= 's' then failed = failed + 1 end
  end
end

local function returns(n)
  local op = ARGV[5 + (n - 1) * 6 + 2]
  return op == 'i' or op == 'b'
end

for n = 1, count do
  if not returns(n) then settle(n) end
end
-- Newest first, so that the oldest ends up as the next to be popped.
for n = count, 1, -1 do
  if returns(n) then settle(n) end
end

tally(KEYS[5], KEYS[6], processed, ARGV[4])
tally(KEYS[7], KEYS[8], failed, ARGV[4])
if buried and trim_dead(KEYS[3], ARGV[2], ARGV[3]) then done[count + 1] = 1 end
if broken then return broken end
return done
