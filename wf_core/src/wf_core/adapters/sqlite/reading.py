"""What is read, on a connection of its own: a long list does not hold up a save."""

import ast
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from wf_core.adapters import store_rules as rules
from wf_core.adapters.sqlite.records import (
    MAYBE_TIME,
    SPAN,
    TIME,
    Column,
    checked,
    damaged,
    entry_of,
    head_of,
    line_of,
    newer,
    request_of,
    span,
    step_of,
    transitions_of,
    ttl_of,
    why_of,
    workflow_of,
)
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import Key
from wf_core.model.state import SCHEMA_VERSION, LogLine, Owner, StepState, Stored, Transition
from wf_core.ports import Page, Row, Seen

T = TypeVar("T")
MASK = (1 << SPAN) - 1
MAX_SEEN = 1_000
SMALL = 50
"""Steps of a workflow that is read faster than a thread is woken."""
_LOW = f"workflows.id << {SPAN}"
_HIGH = f"(workflows.id << {SPAN}) + {MASK}"
# Counted here and not with every save: lists are read seldom.
_DONE = f"""(SELECT count(*) FROM steps WHERE key BETWEEN {_LOW} AND {_HIGH} AND phase =
    CASE WHEN workflows.phase IN ({", ".join(f"'{phase}'" for phase in sorted(rules.UNDOING))})
    THEN '{Phase.ROLL_BACKED}' ELSE '{Phase.SUCCESS}' END)"""
_LIST = """
SELECT id, namespace, name, uid, queue, priority, phase, created_at, {done}, total,
    owner, epoch, deletion_asked_at, suspended, parked, watchable, finished_at,
    EXISTS (SELECT 1 FROM requests WHERE key BETWEEN {low} AND {high}),
    EXISTS (SELECT 1 FROM outbox WHERE key BETWEEN {low} AND {high}), ttl,
    CASE WHEN phase IN ('Pending', 'Success') THEN NULL ELSE head END
FROM workflows WHERE {where} ORDER BY created_at, id LIMIT ?
"""
_SEEN = """
SELECT changed, namespace, name, 0, request_seq, deletion_asked_at, uid,
    owner, revision FROM workflows WHERE changed > :after
UNION ALL SELECT position, namespace, name, 1, 0, NULL, '', '', 0
    FROM gone WHERE position > :after
ORDER BY 1 LIMIT :most
"""
_LOADED: dict[str, Column] = {
    "id": int,
    "owner": str,
    "epoch": int,
    "deletion_asked_at": MAYBE_TIME,
    "schema_version": int,
    "total": int,
    "head": (bytes, str),
}
_LISTED: dict[str, Column] = {
    "id": int,
    **dict.fromkeys(("namespace", "name", "uid", "queue"), str),
    "priority": int,
    "phase": str,
    "created_at": TIME,
    **dict.fromkeys(("done", "total"), int),
    "owner": str,
    "epoch": int,
    "deletion_asked_at": MAYBE_TIME,
    **dict.fromkeys(("suspended", "parked", "watchable"), int),
    "finished_at": MAYBE_TIME,
    **dict.fromkeys(("requests", "outbox"), int),
    "ttl": (bytes, str, type(None)),
    "head": (bytes, str, type(None)),
}
"""Of what is read of a workflow for `load` and for a list, the types that wf writes."""
_LAST = (
    "SELECT max((SELECT coalesce(max(changed), 0) FROM workflows), "
    "(SELECT coalesce(max(position), 0) FROM gone))"
)


def snapshot(connection: sqlite3.Connection, read: Callable[[sqlite3.Connection], T]) -> T:
    """Run `read` so that all it reads is of one moment."""
    connection.execute("BEGIN")
    try:
        return read(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def load_small(key: Key, connection: sqlite3.Connection) -> Stored | None:
    """As `load`, for a workflow of few steps; None for a larger one."""
    row = connection.execute(
        "SELECT total FROM workflows WHERE namespace = ? AND name = ?", (key.namespace, key.name)
    ).fetchone()
    large = row is not None and isinstance(row[0], int) and row[0] > SMALL
    return None if large else load(key, connection)


def load(key: Key, connection: sqlite3.Connection) -> Stored:
    """Everything about one workflow."""
    row = _row_of(key, ", ".join(_LOADED), connection)
    what = "row"
    try:
        checked(row, _LOADED)
        number, owner, epoch, deletion_asked_at, version, total, head = row
        if version > SCHEMA_VERSION:
            raise newer(key, version)
        low, high = span(number)
        what = "document"
        found = connection.execute(
            "SELECT workflow FROM documents WHERE id = ?", (number,)
        ).fetchone()
        if found is None:
            raise ValueError("it is gone")
        workflow = workflow_of(*found)
        what = "state"
        if total != len(workflow.spec.steps):
            raise ValueError(f"it has {total} steps, its document {len(workflow.spec.steps)}")
        state = rules.merged(head_of(head), Owner(owner, epoch), deletion_asked_at)
        steps: list[StepState] = [rules.FRESH] * total
        for step, body in connection.execute(
            "SELECT key, state FROM steps WHERE key BETWEEN ? AND ?", (low, high)
        ):
            what = f"state of step {step & MASK}"
            steps[step & MASK] = step_of(body)
        what = "outbox"
        outbox = tuple(
            entry_of(body)
            for (body,) in connection.execute(
                "SELECT entry FROM outbox WHERE key BETWEEN ? AND ? ORDER BY key", (low, high)
            )
        )
    except (ValueError, IndexError) as error:
        raise damaged(key, what, error) from error
    return Stored(workflow, state, tuple(steps), outbox, _asked(key, number, connection))


def asked(key: Key, connection: sqlite3.Connection) -> tuple[Asked, ...]:
    """The unanswered requests."""
    return _asked(key, _number(key, connection), connection)


def uid_of(key: Key, connection: sqlite3.Connection) -> str:
    """The uid."""
    (uid,) = _row_of(key, "uid", connection)
    return str(uid)


def _asked(key: Key, number: int, connection: sqlite3.Connection) -> tuple[Asked, ...]:
    rows = connection.execute(
        "SELECT key, request, at FROM requests WHERE key BETWEEN ? AND ? ORDER BY key", span(number)
    )
    try:
        found = []
        for seq, body, at in rows:
            checked((at,), {"at": TIME})
            found.append(Asked(seq & MASK, request_of(body), at))
        return tuple(found)
    except ValueError as error:
        raise damaged(key, "requests", error) from error


def owner_of(key: Key, connection: sqlite3.Connection) -> Owner:
    """The stored owner."""
    row = _row_of(key, "owner, epoch", connection)
    try:
        checked(row, {"owner": str, "epoch": int})
    except ValueError as error:
        raise damaged(key, "row", error) from error
    return Owner(*row)


def list_page(
    phases: Sequence[Phase] | None,
    queue: str | None,
    limit: int,
    after: str | None,
    connection: sqlite3.Connection,
) -> Page:
    """A page by creation; the cursor is the last row's `created_at` as a literal, and its id."""
    where = ["1"]
    values: list[object] = []
    if phases is not None:
        where.append(f"phase IN ({', '.join('?' * len(phases))})")
        values.extend(phase.value for phase in phases)
    if queue is not None:
        where.append("queue = ?")
        values.append(queue)
    if after is not None:
        created_at, _, number = after.rpartition("/")
        where.append("(created_at, id) > (?, ?)")
        values.extend((_of_literal(created_at), int(number)))
    query = _LIST.format(where=" AND ".join(where), low=_LOW, high=_HIGH, done=_DONE)
    found = connection.execute(query, (*values, limit + 1)).fetchall()
    shown = found[:limit]
    more = f"{shown[-1][7]!r}/{shown[-1][0]}" if len(found) > limit and shown else None
    return Page(tuple(_row(values) for values in shown), more)


def _of_literal(text: str) -> object:
    try:
        return float(text)
    except ValueError:  # what no wf wrote: it is text, or bytes
        return ast.literal_eval(text)


def _row(values: tuple[Any, ...]) -> Row:
    try:
        checked(values, _LISTED)
        return _readable(*values)
    except ValueError as error:
        return _unreadable(values, str(error))


def _unreadable(values: tuple[Any, ...], why: str) -> Row:
    """What can be told of a row that no wf wrote: it is shown, and no engine takes it up."""
    _, namespace, name, uid, *_ = values
    key = Key(*(each if isinstance(each, str) else repr(each) for each in (namespace, name)))
    return Row(
        key=key,
        uid=str(uid),
        queue="",
        priority=0,
        phase=Phase.PENDING,
        created_at=0.0,
        done=0,
        total=0,
        owner=Owner(),
        unreadable=why,
    )


def _readable(
    _number: int,
    namespace: str,
    name: str,
    uid: str,
    queue: str,
    priority: int,
    phase_name: str,
    created_at: float,
    done: int,
    total: int,
    owner: str,
    epoch: int,
    deletion_asked_at: float | None,
    suspended: int,
    parked: int,
    watchable: int,
    finished_at: float | None,
    asked: int,
    reporting: int,
    ttl: bytes | None,
    head: bytes | None,
) -> Row:
    phase = Phase(phase_name)
    return Row(
        key=Key(namespace, name),
        uid=uid,
        queue=queue,
        priority=priority,
        phase=phase,
        created_at=created_at,
        done=done,
        total=total,
        owner=Owner(owner, epoch),
        deleting=deletion_asked_at is not None,
        suspended=bool(suspended),
        parked=bool(parked),
        watched=phase is Phase.SUCCESS and bool(watchable),
        asked=bool(asked),
        reporting=bool(reporting),
        finished_at=finished_at,
        ttl=ttl_of(ttl),
        why="" if head is None else why_of(head),
    )


def history(key: Key, connection: sqlite3.Connection) -> tuple[Transition, ...]:
    """Every transition, oldest first."""
    rows = connection.execute(
        "SELECT transitions FROM history WHERE key BETWEEN ? AND ? ORDER BY key",
        span(_number(key, connection)),
    )
    try:
        return tuple(each for (body,) in rows for each in transitions_of(body))
    except ValueError as error:
        raise damaged(key, "history", error) from error


def logs(key: Key, step: str | None, connection: sqlite3.Connection) -> tuple[LogLine, ...]:
    """Output of hooks, oldest first."""
    rows = connection.execute(
        "SELECT line FROM logs WHERE key BETWEEN ? AND ? AND (? IS NULL OR step = ?) ORDER BY key",
        (*span(_number(key, connection)), step, step),
    )
    try:
        return tuple(line_of(body) for (body,) in rows)
    except ValueError as error:
        raise damaged(key, "logs", error) from error


def seen_after(position: int, connection: sqlite3.Connection) -> list[Seen]:
    """What changed after `position`, oldest first; at most `MAX_SEEN`."""
    return [
        Seen(at, Key(namespace, name), bool(gone), *rest)
        for at, namespace, name, gone, *rest in connection.execute(
            _SEEN, {"after": position, "most": MAX_SEEN}
        )
    ]


def last_position(connection: sqlite3.Connection) -> int:
    """The position of the latest change."""
    (position,) = connection.execute(_LAST).fetchone()
    return int(position)


def _number(key: Key, connection: sqlite3.Connection) -> int:
    (number,) = _row_of(key, "id", connection)
    return int(number)


def _row_of(key: Key, columns: str, connection: sqlite3.Connection) -> tuple[Any, ...]:
    """Columns of a workflow. Raises WorkflowNotFound."""
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT {columns} FROM workflows WHERE namespace = ? AND name = ?",
        (key.namespace, key.name),
    ).fetchone()
    if row is None:
        raise rules.not_found(key)
    return row
