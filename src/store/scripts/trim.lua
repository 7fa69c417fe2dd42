-- Trims a sorted set of dead jobs as Sidekiq does after each death, by age and by number, but only so many at once: a
-- set that has grown to a million would block Redis for a third of a second. Returns whether more is left to trim.
local trim_step = 200
local function trim_sorted(key, oldest, most)
  local aged = redis.call('ZCOUNT', key, '-inf', oldest)
  -- One fewer than the limit survives, as in Sidekiq; none where it is 0.
  local excess = redis.call('ZCARD', key) - math.max(tonumber(most) - 1, 0)
  local surplus = math.max(aged, excess)
  if surplus > 0 then redis.call('ZREMRANGEBYRANK', key, 0, math.min(surplus, trim_step) - 1) end
  return surplus > trim_step
end
