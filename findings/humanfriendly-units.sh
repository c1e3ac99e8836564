#!/bin/sh
# Debian python3-humanfriendly 10.0: `parse_size` and `parse_timespan`, and the functions that write such texts.
#
# One expects that a unit is what it says or is refused, and that the library reads what it writes.
# 512Mi, as in the limits of Kubernetes, is 512 times 1000 × 1000, while 512 MiB is right. 1 Mbit is a million bytes,
# and so is "1 match". A year is 364 days. Of what format_timespan writes, each text with an "and" is refused by parse_timespan.
#
# So a limit is 4.6 % too small, and a retention of seven years ends nine days early. Write MiB and days.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-humanfriendly=10.0-3
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
/usr/bin/python3 - <<'P' | tee "$tmp/out"
import humanfriendly
print("humanfriendly", humanfriendly.__version__)
for text in ("512 MB", "512 MiB", "512Mi", "1 Mbit", "1 match"):
    print(f"{text}: {humanfriendly.parse_size(text)} bytes")
for text in ("1w", "1y", "7y"):
    print(f"{text}: {humanfriendly.parse_timespan(text) / 86400} days")
for seconds in (60, 61):
    text = humanfriendly.format_timespan(seconds)
    try:
        print(f"{seconds}: {text}: {humanfriendly.parse_timespan(text)}")
    except humanfriendly.InvalidTimespan:
        print(f"{seconds}: {text}: InvalidTimespan")
P
for line in '512 MB: 512000000 bytes' '512 MiB: 536870912 bytes' '512Mi: 512000000 bytes' '1 Mbit: 1000000 bytes' '1 match: 1000000 bytes' \
  '1w: 7.0 days' '1y: 364.0 days' '7y: 2548.0 days' '60: 1 minute: 60.0' '61: 1 minute and 1 second: InvalidTimespan'; do
  holds "^$line\$" "$tmp/out"
done
