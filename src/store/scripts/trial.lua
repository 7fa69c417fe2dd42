-- Trials. A job that was running when two processes died (recover.lua) may have killed them. The next time, it runs
-- alone in its process, so that it is known to be the cause if that one dies too: no job is buried that was not alone.
-- A queue never stops for a trial: between two trials its holder works as usual for as long as the last one took, and
-- suspects go to the back of their queue meanwhile. A holder's in-flight table records this state:
--   #trial                     field of the job on trial
--   #trial_from, #trial_until  since when, and until when nothing else is claimed beside it
--   #drain_until, #drain_queue until when nothing is claimed, so that the table becomes empty for a suspect at the head
--                              of that queue
--   #drain_for                 for how long, in seconds: twice as long as the last time if that was in vain
--   #rest_until                until when no trial begins
local trial_seconds, drain_seconds, suspicion_seconds = 10, 2, 300

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function note(inflight, name, seconds) redis.call('HSET', inflight, name, string.format('%.6f', seconds)) end

local function noted(inflight, name) return tonumber(redis.call('HGET', inflight, name) or '0') end

local function has_jobs(inflight)
  for _, field in ipairs(redis.call('HKEYS', inflight)) do
    if string.sub(field, 1, 1) ~= '#' then return true end
  end
  return false
end

local function on_trial(inflight)
  local field = redis.call('HGET', inflight, '#trial')
  return field and redis.call('HEXISTS', inflight, field) == 1
end

local function must_be_tried(payload, trials)
  return is_member(trials, redis.sha1hex(payload))
end

-- A job that died in company in an earlier trial gets twice the time that it had then.
local function trial_length(trials, sha)
  local counter = string.gsub(trials, 'trials$', 'recovered:') .. sha
  local times = tonumber(redis.call('GET', counter) or '2')
  return trial_seconds * 2 ^ math.max(0, math.min(times - 2, 10))
end

local function put_on_trial(inflight, field, payload, trials, suspects)
  local now, sha = clock(), redis.sha1hex(payload)
  local length = trial_length(trials, sha)
  redis.call('HSET', inflight, '#trial', field)
  note(inflight, '#trial_from', now)
  note(inflight, '#trial_until', now + length)
  redis.call('SREM', trials, sha)
  -- As long as this exists, claims check the fields listed above, and nobody waits for a hand-off.
  redis.call('SET', suspects, field, 'EX', math.max(length, suspicion_seconds))
end

-- For a job that is already running. If another one is on trial beside it, nobody could tell which of them did it.
local function try_running(inflight, field, payload, trials, suspects)
  if not must_be_tried(payload, trials) then return end
  if on_trial(inflight) then
    redis.call('HDEL', inflight, '#trial')
  else
    put_on_trial(inflight, field, payload, trials, suspects)
  end
end

-- Whether a claim may take something, and may put a suspect on trial. 'alone' and 'draining': it takes nothing;
-- 'resting': anything but suspects; 'drained': the suspect for which the table is now empty; 'ready': suspects too.
local function trial_state(inflight)
  local now, field = clock(), redis.call('HGET', inflight, '#trial')
  if field then
    if redis.call('HEXISTS', inflight, field) == 1 then
      return now < noted(inflight, '#trial_until') and 'alone' or 'resting'
    end
    note(inflight, '#rest_until', now + math.max(0, now - noted(inflight, '#trial_from')))
    redis.call('HDEL', inflight, '#trial')
  end
  if redis.call('HEXISTS', inflight, '#drain_until') == 1 then
    if not has_jobs(inflight) then return 'drained' end
    if now < noted(inflight, '#drain_until') then return 'draining' end
    -- The running jobs take longer than that.
    local lasted = noted(inflight, '#drain_for')
    note(inflight, '#drain_for', math.min(2 * lasted, 1024))
    note(inflight, '#rest_until', now + 9 * lasted)
    redis.call('HDEL', inflight, '#drain_until')
  end
  return now < noted(inflight, '#rest_until') and 'resting' or 'ready'
end

local function begin_drain(inflight, queue)
  local length = noted(inflight, '#drain_for')
  if length == 0 then length = drain_seconds end
  note(inflight, '#drain_for', length)
  note(inflight, '#drain_until', clock() + length)
  redis.call('HSET', inflight, '#drain_queue', queue)
end

-- Returns the key of the queue for whose sake the holder has drained.
local function end_drain(inflight)
  local queue = redis.call('HGET', inflight, '#drain_queue')
  redis.call('HDEL', inflight, '#drain_until', '#drain_queue', '#drain_for')
  return queue
end
