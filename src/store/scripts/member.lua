-- Whether a set has a member. A key that is no set has none: it belongs to somebody else, and must not stop anything.
local function is_member(key, member)
  local answer = redis.pcall('SISMEMBER', key, member)
  if type(answer) ~= 'table' or not answer.err then return answer == 1 end
  if string.find(answer.err, 'WRONGTYPE', 1, true) then return false end
  return redis.call('SISMEMBER', key, member) == 1
end
