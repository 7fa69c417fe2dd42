-- Forgets the list of a holder that waits for no job of this queue any more, unless one has come.
-- KEYS: 1 handoffs, 2 the list
-- ARGV: 1 the list's member in the handoffs
local handoffs, list, member = KEYS[1], KEYS[2], ARGV[1]
if redis.call('LLEN', list) == 0 then redis.call('ZREM', handoffs, member) end
return 1
