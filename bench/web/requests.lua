-- Sends the requests of a file in turns, for wrk: `wrk … -s requests.lua URL -- FILE KEY`. bench/web/traffic.py writes
-- the file: requests as they go over the wire, each after a record separator; a unit separator stands where a key
-- belongs that no other request has.

local heads, tails = {}, {}
local turn, sent, key = 0, 0, ""

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   key = arguments[2]
   for text in file:read("*a"):gmatch("[^\30]+") do
      local place = text:find("\31", 1, true)
      heads[#heads + 1] = place and text:sub(1, place - 1) or text
      tails[#heads] = place and text:sub(place + 1) or false
   end
   file:close()
end

function request()
   turn = turn % #heads + 1
   if not tails[turn] then
      return heads[turn]
   end
   sent = sent + 1
   return heads[turn] .. key .. "-" .. sent .. tails[turn]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'figures {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write))
end
