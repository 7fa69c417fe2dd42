-- Continues a trim that was not finished in one step.
-- KEYS: 1 a sorted set of dead jobs
-- ARGV: 1 time of death before which dead jobs are dropped, 2 most dead jobs
-- Returns 1 if there is more to trim.
local dead, oldest, most = KEYS[1], ARGV[1], ARGV[2]
redis.call('PERSIST', dead)
return trim_sorted(dead, oldest, most) and 1 or 0
