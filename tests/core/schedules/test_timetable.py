"""When a cron expression is due, on clocks that are set twice a year.

The tables are worked out by hand from the published rules of the zones for 2026.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.schedules.timetable import BadScheduleError, timetable

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
HOUR = 3600.0

# zone, expression, first day (UTC), days, the instants in UTC
TABLE = [
    # Berlin: 02:00 becomes 03:00 on 29 March, 03:00 becomes 02:00 on 25 October, both at 01:00Z.
    (BERLIN, "30 2 * * *", "03-28", 3, "28T01:30 29T01:00 30T00:30"),
    (BERLIN, "0 3 * * *", "03-28", 3, "28T02:00 29T01:00 30T01:00"),
    (BERLIN, "0 30 2 * * *", "03-28", 3, "28T01:30 29T01:00 30T00:30"),
    (BERLIN, "*/30 2 * * *", "03-28", 3, "28T01:00 28T01:30 30T00:00 30T00:30"),
    (BERLIN, "15,45 2,3 * * *", "03-29", 1, "29T01:00 29T01:15 29T01:45"),
    (BERLIN, "30 2 * * *", "10-24", 3, "24T00:30 25T00:30 26T01:30"),
    (BERLIN, "0 3 * * *", "10-24", 3, "24T01:00 25T02:00 26T02:00"),
    (
        *(BERLIN, "*/30 2 * * *", "10-24", 3),
        "24T00:00 24T00:30 25T00:00 25T00:30 25T01:00 25T01:30 26T01:00 26T01:30",
    ),
    (BERLIN, "0 */6 * * *", "10-25", 1, "25T05:00 25T11:00 25T17:00 25T23:00"),
    (BERLIN, "0 0 25 10 *", "10-24", 3, "24T22:00"),
    # New York: 02:00 becomes 03:00 on 8 March (07:00Z), 02:00 becomes 01:00 on 1 November (06:00Z).
    (NEW_YORK, "30 2 * * *", "03-07", 3, "07T07:30 08T07:00 09T06:30"),
    (NEW_YORK, "*/30 2 * * *", "03-07", 3, "07T07:00 07T07:30 09T06:00 09T06:30"),
    (NEW_YORK, "30 1 * * *", "10-31", 3, "31T05:30 01T05:30 02T06:30"),
    (
        *(NEW_YORK, "*/30 1 * * *", "10-31", 3),
        "31T05:00 31T05:30 01T05:00 01T05:30 01T06:00 01T06:30 02T06:00 02T06:30",
    ),
    (NEW_YORK, "0 9 * * MON-FRI", "10-30", 4, "30T13:00 02T14:00"),
    # Lord Howe sets its clocks by half an hour: 02:00 becomes 01:30 on 5 April (4 April 15:00Z),
    # 02:00 becomes 02:30 on 4 October (3 October 15:30Z).
    (LORD_HOWE, "45 1 * * *", "04-03", 3, "03T14:45 04T14:45 05T15:15"),
    (
        *(LORD_HOWE, "*/15 1 * * *", "04-04", 1),
        "04T14:00 04T14:15 04T14:30 04T14:45 04T15:00 04T15:15",
    ),
    (LORD_HOWE, "30 * * * *", "04-04T13", 0.2, "04T13:30 04T14:30 04T15:00 04T16:00 04T17:00"),
    (LORD_HOWE, "15 2 * * *", "10-02", 3, "02T15:45 03T15:30 04T15:15"),
    (LORD_HOWE, "*/15 2 * * *", "10-03", 1, "03T15:30 03T15:45"),
    (LORD_HOWE, "0 * * * *", "10-03T13", 0.2, "03T13:30 03T14:30 03T16:00 03T17:00"),
]


def seconds(text: str) -> float:
    """An instant of 2026 in UTC as epoch seconds."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC).timestamp()


def between(zone: str, expression: str, first: float, last: float) -> list[datetime]:
    """The slots from `first` up to `last`."""
    found = []
    for slot in timetable(expression, zone).slots(first - 1):
        if slot >= last:
            break
        found.append(datetime.fromtimestamp(slot, UTC))
    return found


@pytest.mark.parametrize(("zone", "expression", "first", "days", "wanted"), TABLE)
def test_a_schedule_across_a_change_of_clocks(
    zone: str, expression: str, first: str, days: float, wanted: str
) -> None:
    begin = seconds(first if "T" in first else f"{first}T00:00")
    found = between(zone, expression, begin, begin + days * 24 * HOUR)
    assert " ".join(each.strftime("%dT%H:%M") for each in found) == wanted


CHANGES = [
    *((BERLIN, "03-29T01:00"), (BERLIN, "10-25T01:00")),
    *((NEW_YORK, "03-08T07:00"), (NEW_YORK, "11-01T06:00")),
    *((LORD_HOWE, "04-04T15:00"), (LORD_HOWE, "10-03T15:30")),
    # Midnight itself is left out or shown twice there.
    *(("America/Santiago", "04-05T03:00"), ("America/Santiago", "09-06T04:00")),
]
FOLLOW = ["*/15 * * * *", "*/20 2 * * *", "30 * * * *", "0 * 0-2 * * *", "45 */2 * * *"]
FIXED = ["30 2 * * *", "15 1 * * *", "0 2,3 * * *", "0 0 * * *", "30 0 2 * * *", "45 1 * * *"]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("expression", FOLLOW)
def test_what_follows_the_clock_is_due_whenever_the_clock_shows_it(
    zone: str, change: str, expression: str
) -> None:
    """Against a clock that is looked at every minute."""
    at = seconds(change)
    begin, end = at - 8 * HOUR, at + 8 * HOUR
    naive = timetable(expression, "UTC")
    shown = []
    for minute in range(0, 16 * 60):
        moment = datetime.fromtimestamp(begin + 60 * minute, ZoneInfo(zone))
        wall = moment.replace(tzinfo=UTC).timestamp()
        if naive.after(wall - 1) == wall:
            shown.append(moment.astimezone(UTC))
    assert between(zone, expression, begin, end) == shown


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("expression", [*FOLLOW, *FIXED])
def test_it_does_not_matter_where_one_begins_to_look(
    zone: str, change: str, expression: str
) -> None:
    at = seconds(change)
    begin, end = at - 30 * HOUR, at + 30 * HOUR
    whole = between(zone, expression, begin, end)
    for minute in range(0, 30 * 60, 17):
        start = begin + 60 * (minute + 15 * 60)
        later = [each for each in whole if start <= each.timestamp()]
        found = between(zone, expression, start, start + 6 * HOUR)
        assert found == later[: len(found)]


@pytest.mark.parametrize("expression", FIXED)
@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE])
def test_what_is_at_fixed_times_comes_once_a_day_all_year(zone: str, expression: str) -> None:
    times = 2 if "," in expression else 1
    offset = timedelta(hours=-12)  # so that a day of UTC holds one night of each zone
    year = between(zone, expression, seconds("01-02T00:00"), seconds("12-30T00:00"))
    nights = [(each.astimezone(ZoneInfo(zone)) + offset).date() for each in year]
    twice = 0 if times == 1 else 1  # both of them at the moment at which one is left out
    assert len(year) >= 362 * times - twice
    assert max(nights.count(night) for night in set(nights)) == times


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    span=st.integers(1, 400 * 24 * 3600),
    at=st.integers(0, 365 * 24 * 3600),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "UTC"]),
)
@settings(max_examples=60, deadline=None)
def test_the_latest_that_has_passed_is_the_last_of_those_that_came(
    minute: int, hour: int, span: int, at: int, zone: str
) -> None:
    table = timetable(f"{minute} {hour} * * *", zone)
    since = seconds("01-01T00:00") + at
    came = []
    for slot in table.slots(since):
        if slot > since + span:
            break
        came.append(slot)
    passed = table.passed(since, since + span)
    if not came:
        assert passed is None
        return
    assert passed is not None
    assert (passed.latest, passed.count) == (came[-1], min(len(came), 100))
    assert passed.more == (len(came) > 100)


def test_a_year_of_seconds_is_not_counted_one_by_one() -> None:
    passed = timetable("* * * * * *", BERLIN).passed(0, 365 * 24 * HOUR)
    assert passed is not None
    assert (passed.latest, passed.count, passed.more) == (365 * 24 * HOUR, 100, True)


def test_what_is_due_is_later_and_in_whole_seconds() -> None:
    table = timetable("* * * * * *", "UTC")
    assert list(islice(table.slots(10.7), 2)) == [11.0, 12.0]
    assert table.after(11.0) == 12.0


@pytest.mark.parametrize(
    ("alias", "expression"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@Annually", "0 0 1 1 *"),
    ],
)
def test_an_alias_stands_for_its_expression(alias: str, expression: str) -> None:
    assert timetable(alias, BERLIN) == timetable(expression, BERLIN)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("0 0 29 2 *", "2028-02-29"),
        ("0 0 L * *", "2026-01-31"),
        ("0 0 * * MON#2", "2026-01-12"),
        ("0 0 13 * FRI", "2026-01-02"),  # either of both, as cron has it
    ],
)
def test_days_are_named_as_cron_names_them(expression: str, wanted: str) -> None:
    slot = timetable(expression, "UTC").after(seconds("01-01T00:00"))
    assert slot is not None
    assert datetime.fromtimestamp(slot, UTC).date().isoformat() == wanted


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "write five fields"),
        ("* * * *", "write five fields"),
        ("* * * * * * *", "write five fields"),
        ("@reboot", "@hourly"),
        ("61 * * * *", "'61' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 * * MOO", "'MOO' is no day-of-week"),
        ("*/0 * * * *", "is no minute"),
        ("0 0 30 2 *", "'30' is no day-of-month"),
        ("L * * * *", "'L' is no minute"),
        ("TZ=UTC 0 0 * * *", "is no second"),
    ],
)
def test_an_expression_that_means_nothing_says_what_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(BadScheduleError, match="cron expression") as caught:
        timetable(expression, "UTC")
    assert caught.value.field == "schedule"
    assert said in str(caught.value)


@pytest.mark.parametrize("zone", ["Mars/Base", "", "Europe", "../etc/passwd", "/etc/passwd", "a\0"])
def test_a_zone_that_nobody_knows_is_named(zone: str) -> None:
    with pytest.raises(BadScheduleError, match="no time zone") as caught:
        timetable("0 0 * * *", zone)
    assert caught.value.field == "timeZone"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789*/,-#L@W ?MONADYILY", max_size=24))
def test_any_text_is_a_schedule_or_said_to_be_none(text: str) -> None:
    try:
        table = timetable(text, "UTC")
    except BadScheduleError:
        return
    assert (table.after(0.0) or 1) > 0
