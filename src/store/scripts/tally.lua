-- Counts jobs in total and for the day. They have left their table, so a counter of a wrong type must not fail the step.
local function tally(total, day, by, expiry)
  if by == 0 then return end
  redis.pcall('INCRBY', total, by)
  redis.pcall('INCRBY', day, by)
  redis.pcall('EXPIRE', day, expiry)
end
