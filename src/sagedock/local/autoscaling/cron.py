"""AWS's cron expressions: six fields, or seven with seconds in front.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/
scheduled-scaling-using-cron-expressions.html. Days of the week count from 1, Sunday, as the former
says; an example of the latter counts otherwise.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["Cron"]

_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_MONTHS = {
    name: number
    for number, name in enumerate(re.findall("...", "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"), 1)
}
_DAYS = {name: number for number, name in enumerate(re.findall("...", "SUNMONTUEWEDTHUFRISAT"), 1)}
_WILD = ("*", "?")
_NEAREST = re.compile(r"(?P<day>[0-9]{1,2})W")
_LAST = re.compile(r"(?P<day>[A-Z0-9]+)L")
_NTH = re.compile(r"(?P<day>[A-Z0-9]+)#(?P<number>[1-5])")
_DAY = timedelta(days=1)

Matches = Callable[[date], bool]


@dataclass(frozen=True, kw_only=True)
class Cron:
    """An expression that was read: which days, and which times of each."""

    years: frozenset[int]
    months: frozenset[int]
    day: Matches
    times: tuple[time, ...]

    @classmethod
    def read(cls, text: str) -> "Cron":
        """Read the fields of ``cron(...)``. Raises ValueError, which says what is wrong."""
        fields = text.upper().split()
        if len(fields) == 6:
            fields.insert(0, "0")
        if len(fields) != 7:
            raise ValueError(
                "cron needs the fields Minutes Hours Day_of_Month Month Day_of_Week Year"
            )
        seconds, minutes, hours, monthday, months, weekday, years = fields
        if monthday not in _WILD and weekday not in _WILD:
            raise ValueError("cron: one of Day_of_Month and Day_of_Week must be ?")
        return cls(
            years=_numbers("Year", years, _FIRST_YEAR, _LAST_YEAR),
            months=_numbers("Month", months, 1, 12, _MONTHS),
            day=_weekday(weekday) if monthday in _WILD else _monthday(monthday),
            times=tuple(
                time(hour, minute, second)
                for hour in sorted(_numbers("Hours", hours, 0, 23))
                for minute in sorted(_numbers("Minutes", minutes, 0, 59))
                for second in sorted(_numbers("Seconds", seconds, 0, 59))
            ),
        )

    def after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Return the first time after ``moment``, in UTC, or None if there is none.

        A time that a clock change leaves out is left out; one that comes twice comes once.
        """
        day = moment.astimezone(zone).date()
        last = max(self.years)
        while day.year <= last:
            if day.year not in self.years or day.month not in self.months:
                day = _next_month(day)
                continue
            for found in self._of(day, zone) if self.day(day) else ():
                if found > moment:
                    return found
            day += _DAY
        return None

    def _of(self, day: date, zone: tzinfo) -> list[datetime]:
        local = (datetime.combine(day, each, zone) for each in self.times)
        pairs = [(each, each.astimezone(UTC)) for each in local]
        return [utc for each, utc in pairs if utc.astimezone(zone).time() == each.time()]


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _numbers(
    field: str, text: str, low: int, high: int, names: Mapping[str, int] | None = None
) -> frozenset[int]:
    """Return the numbers of a field: lists of numbers, ranges, and steps."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if span in _WILD:
            first, last = low, high
        else:
            first = _number(field, begin, names)
            last = _number(field, end, names) if dash else high if slash else first
        every = _number(field, step, None) if slash else 1
        if not low <= first <= last <= high or every < 1:
            raise ValueError(f"cron: {part} is nothing that {field} can be ({low} to {high})")
        found.update(range(first, last + 1, every))
    return frozenset(found)


def _number(field: str, text: str, names: Mapping[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError(f"cron: {field} holds {text or 'nothing'}, which is no number")
    return int(text)


def _monthday(text: str) -> Matches:
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: day == _nearest_weekday(day, _length(day))
    if nearest := _NEAREST.fullmatch(text):
        (wanted,) = _numbers("Day_of_Month", nearest["day"], 1, 31)
        return lambda day: wanted <= _length(day) and day == _nearest_weekday(day, wanted)
    days = _numbers("Day_of_Month", text, 1, 31)
    return lambda day: day.day in days


def _weekday(text: str) -> Matches:
    if last := _LAST.fullmatch(text):
        (wanted,) = _numbers("Day_of_Week", last["day"], 1, 7, _DAYS)
        return lambda day: _of_week(day) == wanted and day.day + 7 > _length(day)
    if nth := _NTH.fullmatch(text):
        (wanted,), number = _numbers("Day_of_Week", nth["day"], 1, 7, _DAYS), int(nth["number"])
        return lambda day: _of_week(day) == wanted and (day.day - 1) // 7 + 1 == number
    days = _numbers("Day_of_Week", "7" if text == "L" else text, 1, 7, _DAYS)
    return lambda day: _of_week(day) in days


def _of_week(day: date) -> int:
    return (day.weekday() + 1) % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> date:
    """Return the day from Monday to Friday that is nearest to a day of the month, within it."""
    found = day.replace(day=wanted)
    match found.weekday():
        case 5:
            return found - _DAY if wanted > 1 else found + 2 * _DAY
        case 6:
            return found + _DAY if wanted < _length(day) else found - 2 * _DAY
    return found
