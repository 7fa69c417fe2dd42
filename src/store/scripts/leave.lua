-- Forgets the list of a holder that waits for no job of this queue any more, unless one has come.
-- KEYS: 1 handoffs, 2 the list
-- ARGV: 1 the list's member in the handoffs
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
