-- Goes on with a trim that was not finished in one step.
-- KEYS: 1 dead
-- ARGV: 1 death before which dead jobs are dropped, 2 most dead jobs
-- Returns 1 if there is more to trim.
redis.call('PERSIST', KEYS[1])
return trim_dead(KEYS[1], ARGV[1], ARGV[2]) and 1 or 0
