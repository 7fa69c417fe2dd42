-- Forgets processes whose facts have expired. Checked and removed in one step: a process may beat for
-- the first time between the two.
-- KEYS: 1 processes, 2... identities
-- ARGV: the identities
local removed = 0
for i, identity in ipairs(ARGV) do
  if redis.call('HEXISTS', KEYS[i + 1], 'info') == 0 then
    removed = removed + redis.call('SREM', KEYS[1], identity)
  end
end
return removed
