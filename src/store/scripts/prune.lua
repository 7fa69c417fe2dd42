-- Forgets processes whose facts have expired. Checked and removed in one step: a process may beat for
-- the first time between the two.
-- KEYS: 1 processes, 2... identities
-- ARGV: the identities
local processes, first_process = KEYS[1], 2
local removed = 0
for i, identity in ipairs(ARGV) do
  if redis.call('HEXISTS', KEYS[first_process + i - 1], 'info') == 0 then
    removed = removed + redis.call('SREM', processes, identity)
  end
end
return removed
