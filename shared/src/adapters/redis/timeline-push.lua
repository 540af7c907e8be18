-- KEYS: timelines. ARGV: id, cap, slack. Returns {delivered, absent, duplicate, below floor}.
-- A key that holds anything but a timeline, or cannot be added to, is removed: the next read rebuilds it,
-- and one bad key does not stop the others.

local id, cap, slack = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local number, width, longest = tonumber(id), #id, cap + slack + 1
local DELIVERED, ABSENT, DUPLICATE, BELOW_FLOOR = 1, 2, 3, 4

local function trim(key)
  local marker = read_marker(key)
  local floor = redis.call('LINDEX', key, -cap)
  redis.call('LTRIM', key, -cap, -1)
  redis.call('LPUSH', key, marker_text(marker.state, floor, marker.run, marker.note))
end

local function add_late(key)
  local marker = read_marker(key)
  local count = redis.call('LLEN', key) - 1
  if number < tonumber(marker.floor) then return BELOW_FLOOR end
  local newer = newer_than(key, number, count)
  local pivot = redis.call('LINDEX', key, -1 - newer)
  if pivot == id then return DUPLICATE end
  local ids, moved = { id }, newer > 0 and redis.call('RPOP', key, newer) or {}
  for at = #moved, 1, -1 do ids[#ids + 1] = moved[at] end
  if redis.call('RPUSH', key, unpack(ids)) > longest then trim(key) end
  return DELIVERED
end

-- The common case stays in this loop and at two commands a timeline: it is what fan-out costs. A number is
-- expensive as an argument (it is printed) and to make of text, so ids of one length are compared as text.
local tally = { 0, 0, 0, 0 }
local pcall_redis = redis.pcall
for index = 1, #KEYS do
  local key = KEYS[index]
  local sound, outcome = true, DELIVERED
  local newest = pcall_redis('LINDEX', key, '-1')
  if not newest then
    outcome = ABSENT
  elseif #newest == width and newest < id then
    local length = pcall_redis('RPUSH', key, id)
    if type(length) ~= 'number' then
      sound = false
    elseif length > longest then
      sound = pcall(trim, key)
    end
  elseif newest == id then
    outcome = DUPLICATE
  else
    sound, outcome = pcall(add_late, key)
  end
  if not sound then
    redis.call('UNLINK', key)
    outcome = ABSENT
  end
  tally[outcome] = tally[outcome] + 1
end
return tally
