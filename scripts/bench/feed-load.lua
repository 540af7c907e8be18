-- wrk -s feed-load.lua URL -- PATH TOKENS BODY PAUSE: one path, somebody at random each time; POSTs a body
-- that is not empty; waits PAUSE milliseconds on average before each request, so that together they come at random (a
-- Poisson process). Prints one line of JSON at the end.
local path, body, pause, tokens = nil, '', 0, {}
function init(args)
  path, body, pause = args[1], args[3], tonumber(args[4])
  -- wrk asks before each request where there is such a function. A server may close what is silent for longer.
  if pause > 0 then
    function delay() return math.min(-math.log(1 - math.random()) * pause, 4 * pause) end
  end
  math.randomseed(os.time())
  for line in io.lines(args[2]) do tokens[#tokens + 1] = line end
end
function request()
  local headers = { authorization = 'Bearer ' .. tokens[math.random(#tokens)] }
  if body ~= '' then headers['content-type'] = 'application/json' end
  return wrk.format(body == '' and 'GET' or 'POST', path, headers, body)
end
function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
