-- Writes the execution metrics of one flush, once.
-- KEYS: 1 leases, 2 in-flight table, 3... keys to write to, one per write
-- ARGV: 1 holder, 2 sequence number, then per write: operation, how many arguments, the arguments
-- Operations: h HINCRBY field by; b histogram, bucket and count each; e EXPIRE seconds
-- Returns 1, or 0 when this flush was already written.
local leases, inflight, holder, sequence = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
if not redis.call('ZSCORE', leases, holder) then
  return redis.error_reply('LEASELOST another process took over')
end
if tonumber(redis.call('HGET', inflight, '#metrics') or '-1') >= sequence then return 0 end
redis.call('PERSIST', inflight)
redis.call('HSET', inflight, '#metrics', sequence)
local at, key = 3, 3
while at <= #ARGV do
  local op, count = ARGV[at], tonumber(ARGV[at + 1])
  if op == 'h' then
    redis.call('HINCRBY', KEYS[key], ARGV[at + 2], ARGV[at + 3])
  elseif op == 'b' then
    for i = at + 2, at + 1 + count, 2 do
      redis.call('BITFIELD', KEYS[key], 'OVERFLOW', 'SAT', 'INCRBY', 'u16', '#' .. ARGV[i], ARGV[i + 1])
    end
  else
    redis.call('EXPIRE', KEYS[key], ARGV[at + 2])
  end
  at, key = at + 2 + count, key + 1
end
return 1
