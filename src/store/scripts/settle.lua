-- Carries out what became of jobs (writes.lua), each only if it is still the holder's: jobs that did not simply
-- succeed, and poison pills of an orphan (recover.lua).
-- KEYS: 1 in-flight table, 2 trials (trial.lua), 3... keys to write to
-- ARGV: 1 seconds that a trial is waited for, then per job: field, how it leaves (b back and never started, i back and
--       interrupted, o otherwise), 1 if its first write is its place, how many writes, and four arguments for each
-- Returns one 0 or 1 per job, and one 1 more if a set of dead jobs is not yet trimmed.
local inflight, trials, suspicion = KEYS[1], KEYS[2], ARGV[1]

local jobs, at = {}, 2
while at <= #ARGV do
  local job = read_writes(at + 4, ARGV[at + 2], ARGV[at + 3])
  job.field, job.leaves = ARGV[at], ARGV[at + 1]
  jobs[#jobs + 1] = job
  at = job.last + 4
end

local done, broken = {}, nil
local trial = redis.call('HGET', inflight, '#trial')
-- Makes this a script that has written, which a full Redis no longer refuses (see claim.lua).
redis.call('PERSIST', inflight)
preflight_hdel(inflight)
redis.call('UNLINK', scratch_key(inflight))

local function settle(job)
  local field = job.field
  if redis.call('HEXISTS', inflight, field) == 0 then return 0 end
  local claimed
  local function as_claimed()
    claimed = claimed or payload_of(inflight, field)
    return claimed
  end
  -- Written first and removed afterwards: a push that fails (a key of a wrong type, a missing right) leaves the job in
  -- the table.
  local refused = write_place(job, as_claimed)
  if refused then
    broken = refused
    return 0
  end
  if job.leaves == 'b' and field == trial then
    -- It did not begin, so its trial is still to come. It is in its queue: nothing may keep it from leaving the table.
    redis.pcall('SADD', trials, redis.sha1hex(as_claimed()))
    redis.pcall('EXPIRE', trials, suspicion)
    redis.call('HDEL', inflight, '#trial')
  end
  write_others(job, as_claimed)
  redis.call('HDEL', inflight, field)
  forget_large(inflight, {field})
  return 1
end

for n, job in ipairs(jobs) do
  if job.leaves == 'o' then done[n] = settle(job) end
end
-- Newest first, so that the oldest ends up as the next to be popped.
for n = #jobs, 1, -1 do
  if jobs[n].leaves ~= 'o' then done[n] = settle(jobs[n]) end
end
if finish_writes() then done[#jobs + 1] = 1 end
return broken or done
