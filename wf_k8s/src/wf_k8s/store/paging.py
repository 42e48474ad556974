"""Lists of rows, page by page."""

import logging
from collections.abc import Iterable, Sequence

from wf_core.errors import StoreForeign
from wf_core.model.phases import Phase
from wf_core.ports import Page, Row
from wf_k8s.store.rows import place_unread, read_place

log = logging.getLogger("wf.k8s")


def rows_of(objects: Iterable[bytes]) -> list[Row]:
    """The row of each object, which may say that it can't be read."""
    return [row for raw in objects for row in _row(raw)]


def page_of(
    rows: Iterable[Row],
    phases: Sequence[Phase] | None,
    queue: str | None,
    limit: int,
    after: str | None,
) -> Page:
    """The page that comes after the one whose `after` is given."""
    start = _cursor(after)
    found = sorted(
        (
            row
            for row in rows
            if _place(row) > start
            and (phases is None or row.phase in phases)
            and (queue is None or row.queue == queue)
        ),
        key=_place,
    )
    shown = found[:limit]
    more = "/".join(map(str, _place(shown[-1]))) if len(found) > limit and shown else None
    return Page(tuple(shown), more)


def _row(raw: bytes) -> Sequence[Row]:
    try:
        return (read_place(raw).row,)
    except StoreForeign as error:
        why = str(error)
    try:
        return (place_unread(raw, why).row,)
    except StoreForeign as error:
        log.error("left out of the list: %s", error)
        return ()


def _place(row: Row) -> tuple[float, str]:
    return (row.created_at, row.uid)


def _cursor(after: str | None) -> tuple[float, str]:
    if after is None:
        return (float("-inf"), "")
    created_at, _, uid = after.partition("/")
    return (float(created_at), uid)
