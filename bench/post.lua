-- Posts the bodies in a file, one a line, each in its turn, each time with another count in place of the one it has. Arguments: the
-- file, the path, a user and password in base64, the first count. Prints one line of JSON at the end; latencies in milliseconds.
local before, after, turn, count = {}, {}, 0, 0

function init(arguments)
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Basic " .. arguments[3] }
  count = tonumber(arguments[4])
  for body in io.lines(arguments[1]) do
    local request = wrk.format("POST", arguments[2], headers, body)
    local _, start = request:find('"occurrences": ', 1, true)
    before[#before + 1] = request:sub(1, start)
    after[#after + 1] = request:sub(start + #arguments[4] + 1)
  end
end

function request()
  turn = turn % #before + 1
  count = count + 1
  return before[turn] .. count .. after[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
