-- Prepended to every timeline script.
--
-- A timeline is one LIST: one marker `state|floor|run|note`, then ids, the newest last: Redis keeps some 8 KB of a list
-- in one piece, where an id at the end moves nothing and one at the beginning moves it all.
--   state  r: ready, note is the graph version; b: being rebuilt, note is the token
--   floor  every id at or above it that the list was given is in the list; 0: nothing was cut off
--   run    the run of the server that it was written on
-- A server that restarts from an old snapshot or hands over to a lagging replica brings back windows
-- without the posts pushed since. Its run is another then, so such windows count as absent. The client
-- names the run of the server it is connected to: asking INFO here would double the cost of a read.
--
-- Ids are compared as doubles (exact to 2^53) and stored as the text they came in, never reformatted.

local function marker_text(state, floor, run, note)
  return state .. '|' .. floor .. '|' .. run .. '|' .. note
end

-- The marker of a list, or nil where the key is gone or is no list with a marker.
local function read_marker(key)
  local ok, first = pcall(redis.call, 'LINDEX', key, '0')
  if not ok or not first then return nil end
  local state, floor, run, note = string.match(first, '^([br])|(%d+)|(%x+)|(.+)$')
  if not state then return nil end
  return { state = state, floor = floor, run = run, note = note }
end

-- The marker of a window that may be used now; anything else under the key is removed.
local function live_marker(key, run)
  local marker = read_marker(key)
  if marker and marker.run == run then return marker end
  redis.call('UNLINK', key)
  return nil
end

-- How many of a timeline's `count` ids are newer than `id`. Looks near the newest first: late ids are mostly a little
-- late.
local function newer_than(key, id, count)
  local low, high, probe = 0, count, 0
  local function is_newer(rank) return tonumber(redis.call('LINDEX', key, -1 - rank)) > id end
  while probe < count do
    if not is_newer(probe) then
      high = probe
      break
    end
    low = probe + 1
    probe = probe * 2 + 1
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_newer(middle) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end
