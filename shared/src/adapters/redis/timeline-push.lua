-- KEYS: timelines. ARGV: id, cap, slack. Returns {delivered, absent, duplicate, below floor}.
-- A key that holds anything but a timeline is removed: one bad key must not stop the others.

local id, cap, slack = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local number = tonumber(id)
local DELIVERED, ABSENT, DUPLICATE, BELOW_FLOOR = 1, 2, 3, 4

local function trim(key)
  local marker = read_marker(key)
  local floor = redis.call('LINDEX', key, cap - 1)
  redis.call('LTRIM', key, 0, cap - 1)
  redis.call('RPUSH', key, marker_text(marker.state, floor, marker.run, marker.note))
end

local function add_newest(key)
  if redis.call('LPUSH', key, id) > cap + slack + 1 then trim(key) end
  return DELIVERED
end

local function add_late(key)
  local marker = read_marker(key)
  local count = redis.call('LLEN', key) - 1
  if number < tonumber(marker.floor) then return BELOW_FLOOR end
  local at = place(key, number, count)
  local pivot = redis.call('LINDEX', key, at)
  if pivot == id then return DUPLICATE end
  if redis.call('LINSERT', key, 'BEFORE', pivot, id) > cap + slack + 1 then trim(key) end
  return DELIVERED
end

local function push(key)
  local head = redis.call('LINDEX', key, 0)
  if not head then return ABSENT end
  if head == id then return DUPLICATE end
  local newest = tonumber(head)
  if newest and newest < number then return add_newest(key) end
  return add_late(key)
end

local tally = { 0, 0, 0, 0 }
for _, key in ipairs(KEYS) do
  local ok, outcome = pcall(push, key)
  if not ok then
    redis.call('UNLINK', key)
    outcome = ABSENT
  end
  tally[outcome] = tally[outcome] + 1
end
return tally
