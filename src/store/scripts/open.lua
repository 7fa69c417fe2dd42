-- Opens parcels, those that are still there.
-- KEYS: 1 in-flight table
-- ARGV: fields of parcels
redis.call('PERSIST', KEYS[1])
for _, field in ipairs(ARGV) do open_parcel(KEYS[1], field) end
return 1
