-- KEYS: timeline. ARGV: run, before (id, or empty for the newest), limit, ttl in ms.
-- Returns {floor, graph version, ids}, or nil where there is no ready window.

local key, run, before, limit, ttl =
  KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local function page()
  local count = redis.call('LLEN', key) - 1
  local newer = 0
  if before ~= '' then newer = newer_than(key, tonumber(before) - 1, count) end
  local size = math.min(limit, count - newer)
  if size <= 0 then return {} end
  local ids, newest_first = redis.call('LRANGE', key, -newer - size, -newer - 1), {}
  for at = size, 1, -1 do newest_first[#newest_first + 1] = ids[at] end
  return newest_first
end

local marker = live_marker(key, run)
if not marker or marker.state ~= 'r' then return nil end
local ok, ids = pcall(page)
if not ok then
  redis.call('UNLINK', key)
  return nil
end
-- Once in a while is enough: each renewal is a write for replicas and the append-only file.
if redis.call('PTTL', key) < ttl * 0.99 then redis.call('PEXPIRE', key, ttl) end
return { marker.floor, marker.note, ids }
