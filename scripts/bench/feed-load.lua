-- wrk -s feed-load.lua URL -- PATH TOKENS: one path, a reader at random each time. Prints one line of JSON at the end.
local path, tokens = nil, {}
function init(args)
  path = args[1]
  math.randomseed(os.time())
  for line in io.lines(args[2]) do tokens[#tokens + 1] = line end
end
function request()
  return wrk.format('GET', path, { authorization = 'Bearer ' .. tokens[math.random(#tokens)] })
end
function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
