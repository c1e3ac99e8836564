#!/bin/sh
# Debian python3-croniter 1.3.5, with python3-tz 2022.7: the dates of a daily and a weekly job around the night when the
# clocks go forward.
#
# One expects one date for each day, or for each Sunday, with the one in the hour that does not exist moved or left out.
# For "30 2 * * *" in Berlin the list has 02:30 and 03:30 for that night, and then 01:30 and 02:30 for the night after:
# four dates for two runs. The first, 02:30+02:00, is 01:30 on the clock of that night. Of a weekly job the date at
# 01:30 comes a week later. With a time zone of the standard library there is one date for each day.
#
# So a job on this library runs twice, and an hour early as well. Give it a time of the zoneinfo module, or UTC.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-croniter=1.3.5-3 python3-dateutil=2.8.2-2 python3-six=1.16.0-4 python3-tz=2022.7.1-4 python3-natsort=8.0.2-2
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
/usr/bin/python3 - <<'P' | tee "$tmp/out"
import datetime, zoneinfo, croniter, pytz
print("croniter", croniter.__version__ if hasattr(croniter, "__version__") else "1.3.5")
noon = datetime.datetime(2026, 3, 28, 12)
starts = {"pytz": pytz.timezone("Europe/Berlin").localize(noon), "zoneinfo": noon.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))}
for job in ("30 2 * * *", "30 2 * * 0"):
    for name, start in starts.items():
        dates = croniter.croniter(job, start)
        print(f"{job}, {name}:", *(dates.get_next(datetime.datetime).isoformat() for _ in range(4)))
P
holds '^30 2 \* \* \*, pytz: 2026-03-29T02:30:00+02:00 2026-03-29T03:30:00+02:00 2026-03-30T01:30:00+02:00 2026-03-30T02:30:00+02:00$' "$tmp/out"
holds '^30 2 \* \* \*, zoneinfo: 2026-03-29T02:30:00+01:00 2026-03-30T02:30:00+02:00 2026-03-31T02:30:00+02:00' "$tmp/out"
holds '^30 2 \* \* 0, pytz: 2026-03-29T02:30:00+02:00 2026-03-29T03:30:00+02:00 2026-04-05T01:30:00+02:00 2026-04-05T02:30:00+02:00$' "$tmp/out"
holds '^30 2 \* \* 0, zoneinfo: 2026-03-29T02:30:00+01:00 2026-04-05T02:30:00+02:00' "$tmp/out"
