"""Schedules as pure functions: every form, zones and clock changes, and what is refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.autoscaling.cron import Cron
from sagedock.local.autoscaling.schedules import Span, next_run, read

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
BEGIN_S = BEGIN.timestamp()
SPAN = Span(made_s=BEGIN_S)


def runs(expression: str, count: int, zone: str = "UTC", begin: datetime = BEGIN) -> list[str]:
    """Return the next runs of a cron expression, in its zone."""
    cron, moment, found = Cron.read(expression), begin, []
    for _ in range(count):
        after = cron.after(moment, ZoneInfo(zone))
        if after is None:
            break
        moment = after
        found.append(moment.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 10 * * ? *", ["Thu 2026-01-01 10:00:00", "Fri 2026-01-02 10:00:00"]),
        ("0 18 ? * MON-FRI *", ["Thu 2026-01-01 18:00:00", "Fri 2026-01-02 18:00:00"]),
        ("0 8 1 * ? *", ["Thu 2026-01-01 08:00:00", "Sun 2026-02-01 08:00:00"]),
        ("0/15 * * * ? *", ["Thu 2026-01-01 00:15:00", "Thu 2026-01-01 00:30:00"]),
        ("0/5 8-17 ? * MON-FRI *", ["Thu 2026-01-01 08:00:00", "Thu 2026-01-01 08:05:00"]),
        ("0 12 L * ? *", ["Sat 2026-01-31 12:00:00", "Sat 2026-02-28 12:00:00"]),
        ("0 12 LW * ? *", ["Fri 2026-01-30 12:00:00", "Fri 2026-02-27 12:00:00"]),
        ("0 12 3W * ? *", ["Fri 2026-01-02 12:00:00", "Tue 2026-02-03 12:00:00"]),
        ("0 12 1W * ? *", ["Thu 2026-01-01 12:00:00", "Mon 2026-02-02 12:00:00"]),
        ("0 12 31W * ? *", ["Fri 2026-01-30 12:00:00", "Tue 2026-03-31 12:00:00"]),
        ("0 12 ? * 6L *", ["Fri 2026-01-30 12:00:00", "Fri 2026-02-27 12:00:00"]),
        ("0 12 ? * FRI#2 *", ["Fri 2026-01-09 12:00:00", "Fri 2026-02-13 12:00:00"]),
        ("0 12 ? * 1 *", ["Sun 2026-01-04 12:00:00", "Sun 2026-01-11 12:00:00"]),
        ("0 12 ? * L *", ["Sat 2026-01-03 12:00:00", "Sat 2026-01-10 12:00:00"]),
        ("0 0 29 FEB ? *", ["Tue 2028-02-29 00:00:00", "Sun 2032-02-29 00:00:00"]),
        ("0 0 1 1 ? 2027/2", ["Fri 2027-01-01 00:00:00", "Mon 2029-01-01 00:00:00"]),
        ("30 0 10 * * ? *", ["Thu 2026-01-01 10:00:30", "Fri 2026-01-02 10:00:30"]),
        ("0 9,17 ? jan,mar thu *", ["Thu 2026-01-01 09:00:00", "Thu 2026-01-01 17:00:00"]),
        ("0 6 * * 2 *", ["Mon 2026-01-05 06:00:00", "Mon 2026-01-12 06:00:00"]),
        ("0 0 30 2 ? *", []),
        ("0 0 1 1 ? 2020", []),
    ],
)
def test_cron_expressions(expression: str, expected: list[str]) -> None:
    assert runs(expression, 2) == expected


def test_a_time_that_a_clock_change_leaves_out_is_left_out() -> None:
    march = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert runs("30 2 * * ? *", 2, "Europe/Paris", march) == [
        "Mon 2026-03-30 02:30:00",
        "Tue 2026-03-31 02:30:00",
    ]


def test_a_time_that_comes_twice_comes_once() -> None:
    october = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert runs("30 2 * * ? *", 2, "Europe/Paris", october) == [
        "Sun 2026-10-25 02:30:00",
        "Mon 2026-10-26 02:30:00",
    ]


@pytest.mark.parametrize(
    "expression",
    [
        *("* * * *", "60 * * * ? *", "* 24 * * ? *", "* * 0 * ? *", "* * 32 * ? *"),
        *("* * * 13 ? *", "* * ? * 8 *", "* * ? * 0 *", "* * * * ? 1969", "* * 1 * MON *"),
        *("a * * * ? *", "5-1 * * * ? *", "0/0 * * * ? *", "1,, * * * ? *", "-1 * * * ? *"),
        *("* * ? * MON#6 *", "* * 99W * ? *", "* * ? * XYL *", "99999 * * * ? *", ""),
    ],
)
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="cron"):
        Cron.read(expression)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Pacific/Tahiti"]),
    after=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
)
def test_a_daily_time_comes_within_two_days(
    minute: int, hour: int, zone: str, after: datetime
) -> None:
    moment = after.replace(tzinfo=UTC)
    found = Cron.read(f"{minute} {hour} * * ? *").after(moment, ZoneInfo(zone))
    assert found is not None
    assert moment < found <= moment + timedelta(hours=49.5)
    local = found.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute, local.second) == (hour, minute, 0)


def test_a_moment_comes_once_in_its_zone() -> None:
    at = read("at(2026-07-01T09:00:00)", "America/New_York")
    when = datetime(2026, 7, 1, 13, tzinfo=UTC).timestamp()
    assert next_run(at, SPAN, BEGIN_S) == when
    assert next_run(at, SPAN, when) is None
    assert next_run(read("at(2026-7-1T9:00:0)"), SPAN, BEGIN_S) == when - 4 * 3600


def test_an_interval_counts_from_the_start() -> None:
    rate = read("rate(5 minutes)")
    assert next_run(rate, SPAN, BEGIN_S) == BEGIN_S + 300
    assert next_run(rate, SPAN, BEGIN_S + 300) == BEGIN_S + 600
    assert next_run(rate, SPAN, BEGIN_S + 1000) == BEGIN_S + 1200
    later = Span(made_s=BEGIN_S, start_s=BEGIN_S + 50)
    assert next_run(rate, later, BEGIN_S) == BEGIN_S + 50
    assert next_run(rate, later, BEGIN_S + 50) == BEGIN_S + 350
    assert next_run(rate, SPAN, BEGIN_S, scale=60) == BEGIN_S + 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 minute", 60), ("2 hours", 7200), ("1 day", 86400), ("3  days", 259_200)],
)
def test_intervals(text: str, seconds: int) -> None:
    assert read(f"rate({text})").every_s == seconds


def test_a_recurring_action_runs_at_its_start_and_ends() -> None:
    noon = BEGIN_S + 12 * 3600
    span = Span(made_s=BEGIN_S, start_s=BEGIN_S + 60, end_s=noon + 86_400)
    daily = read("cron(0 12 * * ? *)")
    found = [BEGIN_S]
    while (after := next_run(daily, span, found[-1])) is not None:
        found.append(after)
    assert found[1:] == [BEGIN_S + 60, noon, noon + 86_400]


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "",
            "10:00",
            "every(1 day)",
            "rate()",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "rate(-1 day)",
        ),
        *("rate(5)", "at(tomorrow)", "at(2026-13-01T00:00:00)", "at(2026-02-30T00:00:00)"),
        *("cron(* * *)", "at(0000-01-01T00:00:00)", "rate(99999999999 days)"),
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        read(expression)


@pytest.mark.parametrize("zone", ["", "Nowhere", "../../etc/passwd", "/etc/localtime", "a\0b"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        read("cron(* * * * ? *)", zone)
