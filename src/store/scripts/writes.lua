-- What the end of a job writes, as the dialect composed it (src/dialect/write.rs): each write is a code, the index of
-- its key in KEYS, and two values.
--   z score, job      into a sorted set             s -, member   into a set
--   l, r -, job       onto the left or right end    c by, seconds a counter, and how long it lives (0: for ever)
--   Z, L, R           the same for the job as it    t score, most a sorted set is trimmed (trim.lua)
--                     stands                        n -, length   a list is cut to so many at its left end
--   x -, -            a key that is deleted
-- At most one of them is the place where the job goes from now on: it must succeed before the job leaves where it was.
-- The others must not keep it there: those that fail are skipped. Counters of many jobs are added up first.
local counted, trimmed = {}, {}
local add = {z = 'ZADD', l = 'LPUSH', r = 'RPUSH', s = 'SADD'}

local function write(at, job)
  local code, key, value, member = ARGV[at], KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  if code == 'c' then
    local known = counted[key]
    counted[key] = {(known and known[1] or 0) + tonumber(value), tonumber(member)}
  elseif code == 't' then
    trimmed[key] = {value, member}
  elseif code == 'n' then
    return redis.pcall('LTRIM', key, 0, tonumber(member) - 1)
  elseif code == 'x' then
    return redis.pcall('UNLINK', key)
  else
    local command = add[string.lower(code)]
    if code ~= string.lower(code) then member = job() end
    if command == 'ZADD' then return redis.pcall(command, key, value, member) end
    return redis.pcall(command, key, member)
  end
end

-- Reads how a job ends: {at = where its fields begin, place = where its place is, if it has one, first, last = the
-- others}.
local function read_writes(at, has_place, count)
  local first = has_place == '1' and at + 4 or at
  return {place = has_place == '1' and at, first = first, last = at + 4 * (tonumber(count) - 1)}
end

-- Returns Redis's error if the job cannot go to its place.
local function write_place(writes, job)
  local answer = writes.place and write(writes.place, job)
  if type(answer) == 'table' and answer.err then return answer end
end

local function write_others(writes, job)
  for at = writes.first, writes.last, 4 do write(at, job) end
end

-- Call once all jobs are done. Returns whether a set is not yet trimmed.
local function finish_writes()
  for key, count in pairs(counted) do
    redis.pcall('INCRBY', key, count[1])
    if count[2] > 0 then redis.pcall('EXPIRE', key, count[2]) end
  end
  local more = false
  for key, limits in pairs(trimmed) do more = trim_sorted(key, limits[1], limits[2]) or more end
  return more
end
