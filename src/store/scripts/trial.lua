-- Trials (see recover.lua): `#trial` in a holder's in-flight table names the field of the job that is on trial.
local function on_trial(inflight)
  local field = redis.call('HGET', inflight, '#trial')
  return field and redis.call('HEXISTS', inflight, field) == 1
end

local function must_be_tried(payload, trials)
  return redis.call('SISMEMBER', trials, redis.sha1hex(payload)) == 1
end

local function put_on_trial(inflight, field, payload, trials)
  redis.call('HSET', inflight, '#trial', field)
  redis.call('SREM', trials, redis.sha1hex(payload))
end

-- For a job that runs already. Beside another one on trial nobody could tell which of them did it.
local function try_running(inflight, field, payload, trials)
  if not must_be_tried(payload, trials) then return end
  if on_trial(inflight) then
    redis.call('HDEL', inflight, '#trial')
  else
    put_on_trial(inflight, field, payload, trials)
  end
end
