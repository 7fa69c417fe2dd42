-- A large payload is not in the table: its field there is empty, and it has a list of its own. Redis moves it there,
-- and sends it from there, without Lua, which hashes every byte of each string that it is given: that takes several
-- times as long as everything else. `#large` in the table says how many such lists there are. A small payload may have
-- one too: how large a payload is can only be seen once it has been moved.
local large_stem
local function large_list(inflight, name)
  if not large_stem then
    local prefix, holder = string.match(inflight, '^(.*footplate:)inflight(:.*)$')
    large_stem = prefix .. 'large' .. holder .. ':'
  end
  return large_stem .. name
end

local function large_key(inflight, field) return large_list(inflight, string.match(field, '^%d+')) end

-- A key of the holder's that belongs to no job.
local function scratch_key(inflight) return large_list(inflight, 'scratch') end

local function large_count(inflight)
  return tonumber(redis.call('HGET', inflight, '#large') or '0')
end

local function payload_of(inflight, field)
  local payload = redis.call('HGET', inflight, field)
  if payload == '' then payload = redis.call('LINDEX', large_key(inflight, field), 0) or '' end
  return payload
end

-- For fields that have just left the table.
local function forget_large(inflight, fields)
  local count, keys = large_count(inflight), {}
  if count < 1 then return end
  for i, field in ipairs(fields) do keys[i] = large_key(inflight, field) end
  local removed = redis.call('UNLINK', unpack(keys))
  -- A count that is too high only costs time.
  if removed > 0 then redis.pcall('HSET', inflight, '#large', count - removed) end
end

