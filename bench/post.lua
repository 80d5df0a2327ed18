-- Posts the bodies in a file (one per line) in turn and replaces the count in each body by a new one. Arguments: the file, the path,
-- user and password in base64, the first count. Prints one line of JSON at the end; latencies are in milliseconds.
local before, after, position, count = {}, {}, 0, 0

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
  position = position % #before + 1
  count = count + 1
  return before[position] .. count .. after[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
