
local DUE = 'doran:presence:due'
local KEPT = 30 * 24 * 3600
local gateway, life, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local changes = {}

local function settle(user)
  local key = key_of(user)
  local state, due, told, seen, over = judge(user)
  for _, field in ipairs(over) do
    redis.call('HDEL', key, field)
  end
  if state ~= told then
    redis.call('HSET', key, 'told', state)
    changes[#changes + 1] = {user, state, seen}
  end
  if due then
    redis.call('ZADD', DUE, text(due), user)
    redis.call('PERSIST', key)
  else
    redis.call('ZREM', DUE, user)
    redis.call('EXPIRE', key, KEPT)
  end
end

for i = 4, #ARGV, 2 do
  local user, state = ARGV[i], ARGV[i + 1]
  local key = key_of(user)
  if state ~= 'gone' then
    redis.call('HSET', key, gateway, state .. ' ' .. text(now + life), 'seen', text(now))
    settle(user)
  else
    local before = redis.call('HGET', key, gateway)
    if before then
      local said = string.match(before, '%a+')
      redis.call('HSET', key, gateway, said .. ' ' .. text(now + grace), 'seen', text(now))
      settle(user)
    end
  end
end

for _, user in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', text(now), 'LIMIT', 0, 200)) do
  settle(user)
end
return changes
