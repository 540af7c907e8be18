-- KEYS: timeline. ARGV: run, token, ttl in ms. Returns 1, or 0 where another rebuild is under way.

local key, run, token, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local marker = live_marker(key, run)
if marker and marker.state == 'b' then return 0 end
redis.call('UNLINK', key)
redis.call('RPUSH', key, marker_text('b', '0', run, token))
redis.call('PEXPIRE', key, ttl)
return 1
