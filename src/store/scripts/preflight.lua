-- Neither rights nor types of keys change while a script runs. So a script that, before it writes, tries out on nothing
-- each command with which it takes a job away cannot stop between writing the job to one place and taking it from
-- another: it does all of a step or none of it, and can be repeated.
local function preflight_hdel(table_key) redis.call('HDEL', table_key, '') end
local function preflight_rpop(list) redis.call('RPOP', list, 0) end
-- No member of a set of jobs is a single zero byte.
local function preflight_zrem(set) redis.call('ZREM', set, '\0') end
-- A push cannot be tried on nothing: `scratch` is a key that nobody else uses.
local function preflight_push(scratch, command)
  redis.call('UNLINK', scratch)
  redis.call(command, scratch, '')
  redis.call('UNLINK', scratch)
end
