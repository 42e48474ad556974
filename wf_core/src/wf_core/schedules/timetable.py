"""The slots of a cron expression in a time zone.

cronsim says which times of day an expression names, on a clock that is never set. What becomes of
them where a real one is set is said here, once and whatever moment the search begins at:

- An expression at fixed times (neither its seconds, its minutes nor its hours begin with `*`) comes
  once for each of them. A time that is left out when clocks go forward comes at the moment they do;
  one that is shown twice comes the first time.
- Any other follows the clock: what is left out does not come, what is shown twice comes twice.

The rules of zones are read from the system's time zone data, else from the package `tzdata`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MAX_COUNTED = 100
"""Slots that are counted one by one; beyond it is `more`."""

_EPOCH = datetime(1970, 1, 1)
_WINDOW = timedelta(hours=12)
"""No zone sets its clocks twice within this."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FIELDS = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")


class BadScheduleError(ValueError):
    """An expression or a zone that means nothing; `field` is `schedule` or `timeZone`."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@attrs.frozen
class Passed:
    """Slots that have passed: the latest, and how many there were. `more`: at least so many."""

    latest: float
    count: int
    more: bool = False


@attrs.frozen
class Timetable:
    """The slots of `expression` (six fields) in `zone`. Times are epoch seconds, whole ones."""

    expression: str
    zone: "ZoneInfo"
    fixed: bool
    has_seconds: bool

    def after(self, at: float) -> float | None:
        """The first slot later than `at`; None where none comes within fifty years."""
        return next(self.slots(at), None)

    def slots(self, at: float) -> Iterator[float]:
        """All that come later than `at`, in order."""
        start = _utc(at)
        return map(_seconds, self._fixed(start) if self.fixed else self._shown(start))

    def passed(self, since: float, until: float) -> Passed | None:
        """The slots later than `since` and no later than `until`; None where there is none."""
        found = list(islice(self._between(since, until), MAX_COUNTED + 1))
        if len(found) <= MAX_COUNTED:
            return Passed(found[-1], len(found)) if found else None
        span = 1.0
        while True:  # ends: at the latest with a span that begins at the last one found
            near = list(islice(self._between(max(found[-1] - 1, until - span), until), 10_000))
            if near:
                return Passed(self._last(near[-1], until), MAX_COUNTED, more=True)
            span *= 4

    def _between(self, since: float, until: float) -> Iterator[float]:
        for slot in self.slots(since):
            if slot > until:
                return
            yield slot

    def _last(self, slot: float, until: float) -> float:
        for later in self._between(slot, until):
            slot = later
        return slot

    def _fixed(self, start: datetime) -> Iterator[datetime]:
        last = start
        for shown in self._matches(self._local(start) - _DAY):
            slot = self._moment(shown)
            if slot > last:
                last = slot
                yield slot

    def _shown(self, start: datetime) -> Iterator[datetime]:
        """Stretch by stretch, within each of which the zone is as far from UTC."""
        begin = start + _SECOND
        while True:
            offset = self._offset(begin)
            end = self._end_of_stretch(begin, begin + _WINDOW, offset)
            first: datetime | None = None
            for shown in self._matches(begin + offset - _SECOND):
                first = shown - offset
                if first >= end:
                    break
                yield first
            if first is None or first < end:
                return  # nothing more within fifty years
            # Clocks are set by less than a day: what is due may come that much earlier.
            begin = max(end, first - _DAY)

    def _end_of_stretch(self, begin: datetime, end: datetime, offset: timedelta) -> datetime:
        if self._offset(end - _SECOND) == offset:
            return end
        while end - begin > _SECOND:
            middle = begin + timedelta(seconds=(end - begin) // _SECOND // 2)
            if self._offset(middle) == offset:
                begin = middle
            else:
                end = middle
        return end

    def _matches(self, start: datetime) -> Iterator[datetime]:
        """What the expression names later than `start`, on a clock that is never set."""
        from cronsim import CronSim

        return iter(CronSim(self.expression, start))

    def _local(self, at: datetime) -> datetime:
        """What a clock there shows."""
        return at + self._offset(at)

    def _offset(self, at: datetime) -> timedelta:
        offset = at.replace(tzinfo=UTC).astimezone(self.zone).utcoffset()
        assert offset is not None
        return offset

    def _moment(self, shown: datetime) -> datetime:
        """When a clock there shows this first, or goes past it. All times are without a zone."""
        # The earlier offset gives the first of two, and in a gap a moment after it.
        moment = shown.replace(tzinfo=self.zone, fold=0).astimezone(UTC).replace(tzinfo=None)
        if self._local(moment) == shown:
            return moment
        begin = moment - _DAY
        return self._end_of_stretch(begin, moment + _SECOND, self._offset(begin))


@lru_cache(maxsize=1024)
def timetable(schedule: str, zone: str) -> Timetable:
    """Read both. Raises BadScheduleError with what is wrong about them."""
    from cronsim import CronSim, CronSimError

    expression = ALIASES.get(schedule.strip().lower(), schedule).strip()
    fields = expression.split()
    if expression.startswith("@") or len(fields) not in (5, 6):
        raise BadScheduleError(
            "schedule",
            f"{schedule[:100]!r} is no cron expression: write five fields (minute, hour, day of "
            "month, month, day of week), six with seconds first, or one of "
            f"{', '.join(ALIASES)}",
        )
    has_seconds = len(fields) == 6
    if not has_seconds:
        fields.insert(0, "0")
    expression = " ".join(fields)
    try:
        matches = CronSim(expression, _EPOCH)
    except (CronSimError, ValueError, AssertionError) as error:
        raise BadScheduleError(
            "schedule", f"{schedule[:100]!r} is no cron expression: {_what(str(error), fields)}"
        ) from None
    if next(matches, None) is None:
        raise BadScheduleError("schedule", f"{schedule[:100]!r} names no day that there is")
    fixed = not any(field.startswith("*") for field in fields[:3])
    return Timetable(expression, _zone(zone), fixed, has_seconds)


def _what(error: str, fields: list[str]) -> str:
    """cronsim's `Bad hour`, with what stands there."""
    name = error.removeprefix("Bad ")
    if name not in _FIELDS:
        return error or "a field means nothing"
    return f"{fields[_FIELDS.index(name)]!r} is no {name}"


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder, a path that leads out
        raise BadScheduleError(
            "timeZone", f"no time zone {name[:100]!r}: write one as Europe/Berlin or UTC"
        ) from None


def _utc(at: float) -> datetime:
    """Whole seconds, without a zone: what is compared and added up here is all in UTC."""
    return _EPOCH + timedelta(seconds=int(at // 1))


def _seconds(at: datetime) -> float:
    return (at - _EPOCH).total_seconds()
