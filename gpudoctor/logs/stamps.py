"""Time stamps of logs as seconds. Years are left out, many logs have none: only differences mean something."""

from __future__ import annotations

import re
from typing import Final

_DATE: Final = re.compile(
    r"(?:\d{4}[-/])?(?P<month>\d\d)[-/](?P<day>\d\d)(?:[/-]\d{4})?[T :-](?P<time>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"
)
_GLOG: Final = re.compile(r"\b[IWEF](?P<month>\d\d)(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)")
_SYSLOG: Final = re.compile(r"(?P<name>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d)")
_MONTHS: Final = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6,
    "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip
_LOOK: Final = 120  # characters of a line in which its stamp stands


def seconds(text: str) -> float | None:
    """The time that a line begins with, None where it has none."""
    head = text[:_LOOK]
    match = _DATE.search(head) or _GLOG.search(head)
    if match is not None:
        month = int(match["month"])
    else:
        match = _SYSLOG.match(head)
        month = _MONTHS.get(match["name"], 0) if match else 0
    if match is None or not 1 <= month <= 12:
        return None
    hours, minutes, rest = match["time"].replace(",", ".").split(":")
    day = month * 31 + int(match["day"])
    return day * 86400.0 + int(hours) * 3600 + int(minutes) * 60 + float(rest)
