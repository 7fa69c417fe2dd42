-- Moves due members on (writes.lua), each only if no other scheduler was faster.
-- KEYS: 1 a set of jobs that wait for their time, 2... keys to write to
-- ARGV: per member: the member, 1 if its first write is its place, how many writes, and four arguments for each
-- Returns one 0 or 1 per member, and one 1 more if a set of dead jobs is not yet trimmed. A member whose queue cannot
-- be pushed to is due again in half a minute, so that it does not keep others waiting; Redis's error for it is returned
-- once the others are moved.
local set, later = KEYS[1], 30

local members, at = {}, 1
while at <= #ARGV do
  local member = read_writes(at + 3, ARGV[at + 1], ARGV[at + 2])
  member.payload = ARGV[at]
  members[#members + 1] = member
  at = member.last + 4
end

local reply, broken = {}, nil
redis.call('PERSIST', set)
preflight_zrem(set)
for n, member in ipairs(members) do
  reply[n] = 0
  if redis.call('ZSCORE', set, member.payload) then
    local function as_it_stands() return member.payload end
    local refused = write_place(member, as_it_stands)
    if refused then
      broken = refused
      redis.call('ZADD', set, 'XX', redis.call('TIME')[1] + later, member.payload)
    else
      -- It is in its queue, so it must leave the set, whatever becomes of the rest.
      write_others(member, as_it_stands)
      redis.call('ZREM', set, member.payload)
      reply[n] = 1
    end
  end
end
if finish_writes() then reply[#members + 1] = 1 end
return broken or reply
