"""What is done inside a write transaction: plain functions, which may run a second time."""

from collections.abc import Sequence
from functools import partial

from wf_core.adapters import store_rules as rules
from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.adapters.sqlite.records import (
    SPAN,
    Encoded,
    damaged,
    encode,
    head_of,
    span,
    workflow_of,
)
from wf_core.adapters.sqlite.writer import Operation, Transaction
from wf_core.model.requests import MAX_REQUESTS
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import WorkflowState
from wf_core.ports import Changes, Saved

KEPT_GONE = 10_000
"""So many removals are remembered for those who watch from an old position."""

_NUMBER = "SELECT id FROM workflows WHERE namespace = ? AND name = ?"
_BASE = (
    "SELECT id, uid, epoch, revision, owner, total FROM workflows WHERE namespace = ? AND name = ?"
)
_UPDATE = """
UPDATE workflows SET phase = ?, epoch = ?, revision = ?, owner = ?, succeeded = succeeded + ?,
    undone = undone + ?, suspended = ?, parked = ?, finished_at = ?,
    deletion_asked_at = coalesce(deletion_asked_at, ?), schema_version = ?, changed = ?, head = ?
WHERE id = ? AND uid = ? AND epoch = ? AND revision = ?
"""
_INSERT = """
INSERT INTO workflows (namespace, name, uid, queue, priority, created_at, total, watchable, phase,
    epoch, revision, owner, suspended, schema_version, changed, head)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SUCCESS = "Success"
_UNDONE = "RollBacked"


def create(workflow: Workflow, body: bytes, head: WorkflowState, transaction: Transaction) -> None:
    """Steps get no rows yet: one that is missing is in its first state."""
    key = rules.key_of(workflow)
    row = transaction.execute(_NUMBER, (key.namespace, key.name)).fetchone()
    if row is not None:
        (stored,) = transaction.execute(
            "SELECT workflow FROM documents WHERE id = ?", row
        ).fetchone()
        try:
            again = rules.same(workflow, workflow_of(stored))
        except ValueError as error:
            raise damaged(key, "document", error) from error
        if not again:
            raise rules.exists(key)
        return
    spec = workflow.spec
    values = (
        key.namespace,
        key.name,
        workflow.metadata.uid,
        spec.queue,
        spec.priority,
        head.created_at,
        len(spec.steps),
        rules.watchable(workflow),
        head.phase.value,
        head.owner.epoch,
        head.revision,
        head.owner.id,
        head.suspended,
        head.schema_version,
        transaction.position(),
        encode(head),
    )
    number = transaction.execute(_INSERT, values).lastrowid
    transaction.execute("INSERT INTO documents (id, workflow) VALUES (?, ?)", (number, body))


def save(key: Key, changes: Changes, data: Encoded, transaction: Transaction) -> Saved:
    """Apply one save, or say why not."""
    execute = transaction.execute
    row = execute(_BASE, (key.namespace, key.name)).fetchone()
    if row is None or row[1] != changes.uid:
        return Saved.LOST
    number, uid, epoch, revision, owner, total = row
    if not rules.builds_on(changes, epoch, revision, owner):
        return _repeated(key, changes, number, transaction)
    if rules.incoherence(changes, total) is not None:
        return Saved.INVALID
    succeeded, undone = _write_steps(number, data, transaction)
    head = changes.head
    updated = execute(
        _UPDATE,
        (
            head.phase.value,
            head.owner.epoch,
            head.revision,
            head.owner.id,
            succeeded,
            undone,
            head.suspended,
            head.parked,
            rules.finished_at(head),
            head.deletion_asked_at,
            head.schema_version,
            transaction.position(),
            data.head,
            number,
            uid,
            changes.base_epoch,
            changes.base_revision,
        ),
    )
    if updated.rowcount != 1:
        raise AssertionError("a row changed inside an exclusive transaction")
    low = number << SPAN
    if data.history is not None:  # a row a save, so that nobody has to look for the last one
        execute(
            "INSERT INTO history (key, transitions) VALUES (?, ?)",
            (low | head.revision, data.history),
        )
    if head.outbox_seq:
        transaction.executemany(
            "INSERT OR REPLACE INTO outbox (key, entry) VALUES (?, ?)",
            [(low | seq, entry) for seq, entry in data.outbox],
        )
        execute("DELETE FROM outbox WHERE key BETWEEN ? AND ?", (low, low | head.outbox_delivered))
    if changes.answered:
        transaction.executemany(
            "DELETE FROM requests WHERE key = ?", [(low | seq,) for seq in changes.answered]
        )
    return Saved.SAVED


def _write_steps(number: int, data: Encoded, transaction: Transaction) -> tuple[int, int]:
    """Write the rows; how many steps more are now in Success, and how many more are undone."""
    succeeded = undone = 0
    low = number << SPAN
    rows = []
    before = _phases([low | index for index, _, _ in data.steps], transaction)
    for index, phase, state in data.steps:
        step = low | index
        was = before.get(step)
        succeeded += (phase == _SUCCESS) - (was == _SUCCESS)
        undone += (phase == _UNDONE) - (was == _UNDONE)
        rows.append((step, phase, state))
    if rows:
        transaction.executemany(
            "INSERT OR REPLACE INTO steps (key, phase, state) VALUES (?, ?, ?)", rows
        )
    return succeeded, undone


def _phases(steps: Sequence[int], transaction: Transaction) -> dict[int, str]:
    """The stored phases of steps. Those of one save lie together, more often than not."""
    if not steps:
        return {}
    first, last = min(steps), max(steps)
    if last - first < 4 * len(steps):
        found = transaction.execute(
            "SELECT key, phase FROM steps WHERE key BETWEEN ? AND ?", (first, last)
        )
        return dict(found.fetchall())
    return {
        step: row[0]
        for step in steps
        if (row := transaction.execute("SELECT phase FROM steps WHERE key = ?", (step,)).fetchone())
    }


def _repeated(key: Key, changes: Changes, number: int, transaction: Transaction) -> Saved:
    """Saved where this very save was applied before, else Lost."""
    (head,) = transaction.execute("SELECT head FROM workflows WHERE id = ?", (number,)).fetchone()
    try:
        return Saved.SAVED if rules.repeats(changes.head, head_of(head)) else Saved.LOST
    except ValueError as error:
        raise damaged(key, "state", error) from error


def _next_key(table: str, low: int, high: int, transaction: Transaction) -> int:
    (last,) = transaction.execute(
        f"SELECT max(key) FROM {table} WHERE key BETWEEN ? AND ?", (low, high)
    ).fetchone()
    return low if last is None else int(last) + 1


def release(key: Key, owner: str, transaction: Transaction) -> None:
    """Clear the owner where it is `owner`; epoch and revision stay."""
    held = transaction.execute(
        "SELECT id FROM workflows WHERE namespace = ? AND name = ? AND owner = ?",
        (key.namespace, key.name, owner),
    ).fetchone()
    if held is not None:
        transaction.execute(
            "UPDATE workflows SET owner = '', changed = ? WHERE id = ?",
            (transaction.position(), *held),
        )


def request(key: Key, body: bytes, now: float, transaction: Transaction) -> int:
    """Add a request beside the state; gives its seq."""
    number = _number(key, transaction)
    low, high = span(number)
    (waiting,) = transaction.execute(
        "SELECT count(*) FROM requests WHERE key BETWEEN ? AND ?", (low, high)
    ).fetchone()
    if waiting >= MAX_REQUESTS:
        raise rules.too_many_requests(key)
    transaction.execute(
        "UPDATE workflows SET request_seq = request_seq + 1, changed = ? WHERE id = ?",
        (transaction.position(), number),
    )
    (seq,) = transaction.execute(
        "SELECT request_seq FROM workflows WHERE id = ?", (number,)
    ).fetchone()
    transaction.execute(
        "INSERT INTO requests (key, at, request) VALUES (?, ?, ?)", (low | seq, now, body)
    )
    return int(seq)


def log(key: Key, lines: Sequence[tuple[str, bytes]]) -> Operation[None]:
    """Add output of hooks, as (step, line). That of a workflow which is gone goes with it."""
    return partial(_log, key, lines)


def _log(key: Key, lines: Sequence[tuple[str, bytes]], transaction: Transaction) -> None:
    row = transaction.execute(_NUMBER, (key.namespace, key.name)).fetchone()
    if row is None:
        return
    first = _next_key("logs", *span(row[0]), transaction)
    transaction.executemany(
        "INSERT INTO logs (key, step, line) VALUES (?, ?, ?)",
        [(first + n, step, line) for n, (step, line) in enumerate(lines)],
    )


def delete(key: Key, now: float, transaction: Transaction) -> None:
    """Mark it; the first mark stays."""
    transaction.execute(
        "UPDATE workflows SET deletion_asked_at = coalesce(deletion_asked_at, ?), changed = ? "
        "WHERE id = ?",
        (now, transaction.position(), _number(key, transaction)),
    )


def remove(key: Key, ownership: Ownership, transaction: Transaction) -> None:
    """Take every row away, unless another live owner has it."""
    number = _number(key, transaction)
    (owner,) = transaction.execute("SELECT owner FROM workflows WHERE id = ?", (number,)).fetchone()
    if owner and owner != ownership.id and (by := ownership.live(owner)):
        raise rules.owned(key, by)
    position = transaction.position()
    for table in ("steps", "outbox", "history", "requests", "logs"):
        transaction.execute(f"DELETE FROM {table} WHERE key BETWEEN ? AND ?", span(number))
    transaction.execute("DELETE FROM documents WHERE id = ?", (number,))
    transaction.execute("DELETE FROM workflows WHERE id = ?", (number,))
    transaction.execute(
        "INSERT INTO gone (position, namespace, name) VALUES (?, ?, ?)",
        (position, key.namespace, key.name),
    )
    transaction.execute(
        "DELETE FROM gone WHERE position <= "
        "(SELECT position FROM gone ORDER BY position DESC LIMIT 1 OFFSET ?)",
        (KEPT_GONE,),
    )


def _number(key: Key, transaction: Transaction) -> int:
    row = transaction.execute(_NUMBER, (key.namespace, key.name)).fetchone()
    if row is None:
        raise rules.not_found(key)
    return int(row[0])
