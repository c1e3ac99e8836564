#!/bin/sh
# cloudevents 10.0.0 from npm, the SDK of the project: an event through the HTTP binding in binary mode.
#
# One expects what the HTTP binding of CloudEvents 1.0 has, and that an event is the same before and after.
# Data that is a text goes out without quotes under "application/json", so the text "5" is a number for each other
# receiver, and "up" is no JSON at all. Attributes go out without the percent-encoding that the binding demands, so a subject in
# Chinese is a header that fetch refuses, and what others encoded stays encoded. An event that comes without a time, which
# is optional, gets the time of its arrival, and a time keeps three of its digits and loses its offset.
#
# So events that pass through a relay on this SDK change. Send objects as data and ASCII as attributes, or use the
# structured mode, which keeps data and subject.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get cloudevents@10.0.0
cd "$tmp"
echo "cloudevents $(node -p 'require("cloudevents/package.json").version'), node $(node --version)"
cat >run.js <<'J'
const { CloudEvent, HTTP } = require("cloudevents")
const event = (more) => new CloudEvent({ id: "1", source: "/disk", type: "state", ...more })
const out = (name, value) => console.log(name + ": " + JSON.stringify(value))
for (const data of ["5", "up"]) {
  const { headers, body } = HTTP.binary(event({ data }))
  out("the text " + data, [headers["content-type"].split(";")[0], body])
}
out("structured", JSON.parse(HTTP.structured(event({ data: "5" })).body).data)
const subject = HTTP.binary(event({ subject: "\u78c1\u76d8", data: {} })).headers["ce-subject"]
out("the subject", subject)
try { new Headers({ "ce-subject": subject }); out("fetch", "takes it") } catch (e) { out("fetch", e.constructor.name) }
const got = (more) => HTTP.toEvent({
  headers: { "ce-id": "1", "ce-source": "/disk", "ce-type": "state", "ce-specversion": "1.0", "content-type": "application/json", ...more },
  body: "{}",
})
out("received", got({ "ce-subject": "%E7%A3%81%E7%9B%98" }).subject)
out("a time that was not sent", Math.abs(Date.parse(got({}).time) - Date.now()) < 60000)
out("a time", got({ "ce-time": "2026-01-01T12:00:00.123456+02:00" }).time)
J
node run.js | tee out
for line in 'the text 5: \["application/json","5"\]' 'the text up: \["application/json","up"\]' 'structured: "5"' \
  'fetch: "TypeError"' 'received: "%E7%A3%81%E7%9B%98"' 'a time that was not sent: true' 'a time: "2026-01-01T10:00:00.123Z"'; do
  holds "^$line\$" out
done
