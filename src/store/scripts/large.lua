-- A large payload is not in the table: its field there is empty, and it has a list of its own. Into that Redis moves
-- it, and from there sends it, without Lua, which hashes every byte of each string that it is given: that takes several
-- times as long as all the rest. `#large` in the table says how many of them there are.
local function large_key(inflight, field)
  local prefix, holder = string.match(inflight, '^(.*footplate:)inflight(:.*)$')
  return prefix .. 'large' .. holder .. ':' .. string.match(field, '^%d+')
end

local function payload_of(inflight, field)
  local payload = redis.call('HGET', inflight, field)
  if payload == '' then payload = redis.call('LINDEX', large_key(inflight, field), 0) or '' end
  return payload
end

-- For fields that have just left the table.
local function forget_large(inflight, fields)
  if tonumber(redis.call('HGET', inflight, '#large') or '0') < 1 then return end
  local keys = {}
  for i, field in ipairs(fields) do keys[i] = large_key(inflight, field) end
  local removed = redis.call('UNLINK', unpack(keys))
  if removed > 0 then redis.call('HINCRBY', inflight, '#large', -removed) end
end

