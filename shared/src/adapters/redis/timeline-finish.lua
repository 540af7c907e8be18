-- KEYS: timeline. ARGV: run, token, complete (1 or 0), graph version, cap, ttl in ms, ids newest first.
-- Returns 1, or 0 where the token no longer stands.

local key, run, token, complete, version, cap, ttl =
  KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local FIRST = 7

local marker = live_marker(key, run)
if not marker or marker.state ~= 'b' or marker.note ~= token then return 0 end
if complete == '0' and #ARGV < FIRST then
  redis.call('UNLINK', key)
  return 0
end

-- Both sides are whole only above the higher of their floors.
local floor = marker.floor
if complete == '0' and tonumber(ARGV[#ARGV]) > tonumber(floor) then floor = ARGV[#ARGV] end
local lowest = tonumber(floor)

local pushed = redis.call('LRANGE', key, 1, -1)
-- Newest first.
local merged = {}
local left, right = #pushed, FIRST
while #merged < cap do
  local a, b = pushed[left], ARGV[right]
  if not a and not b then break end
  local x, y = tonumber(a or -1), tonumber(b or -1)
  if math.max(x, y) < lowest then break end
  merged[#merged + 1] = x >= y and a or b
  if x >= y then left = left - 1 end
  if y >= x then right = right + 1 end
end
-- What the cap cut off lies below the last that is left.
local rest = math.max(tonumber(pushed[left] or -1), tonumber(ARGV[right] or -1))
if rest >= lowest and #merged > 0 then floor = merged[#merged] end

redis.call('UNLINK', key)
redis.call('RPUSH', key, marker_text('r', floor, run, version))
local oldest_first = {}
for at = #merged, 1, -1 do oldest_first[#oldest_first + 1] = merged[at] end
for from = 1, #oldest_first, 1000 do
  redis.call('RPUSH', key, unpack(oldest_first, from, math.min(from + 999, #oldest_first)))
end
redis.call('PEXPIRE', key, ttl)
return 1
