-- Opens those parcels that are still there.
-- KEYS: 1 in-flight table
-- ARGV: fields of parcels
local inflight = KEYS[1]
redis.call('PERSIST', inflight)
for _, field in ipairs(ARGV) do open_parcel(inflight, field) end
return 1
