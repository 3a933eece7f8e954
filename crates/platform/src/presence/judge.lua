-- An entry is a hash: for each gateway "<state> <until>", and what was told last, and when the
-- person was seen last. All times are milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key_of(user)
  return 'doran:presence:' .. user
end

local function text(ms)
  return string.format('%.0f', ms)
end

-- How somebody is, until when that holds, what was told of them, when they were seen, and what is
-- over.
local function judge(user)
  local flat = redis.call('HGETALL', key_of(user))
  local state, due, told, seen, over = 'offline', nil, 'offline', 0, {}
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    if field == 'told' then
      told = value
    elseif field == 'seen' then
      seen = tonumber(value)
    else
      local said, till = string.match(value, '(%a+) (%d+)')
      till = tonumber(till)
      if till <= now then
        over[#over + 1] = field
      else
        if said == 'online' or state == 'offline' then
          state = said
        end
        if not due or till < due then
          due = till
        end
      end
    end
  end
  return state, due, told, seen, over
end
