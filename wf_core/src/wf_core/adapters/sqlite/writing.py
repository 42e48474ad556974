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
    ttl_bytes,
    workflow_of,
)
from wf_core.adapters.sqlite.writer import Operation, Transaction
from wf_core.errors import AuthorError
from wf_core.model.phases import FINISHED
from wf_core.model.requests import MAX_REQUESTS
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, WorkflowState
from wf_core.ports import Changes, Saved

KEPT_GONE = 10_000
"""So many removals are remembered for those who watch from an old position."""

_NUMBER = "SELECT id FROM workflows WHERE namespace = ? AND name = ?"
_PLACE = "SELECT uid, id, total FROM workflows WHERE namespace = ? AND name = ?"
_BASE = "SELECT epoch, revision, owner FROM workflows WHERE namespace = ? AND name = ?"
_HEAD = "SELECT uid, head FROM workflows WHERE namespace = ? AND name = ?"
_UPDATE = """
UPDATE workflows SET phase = ?, epoch = ?, revision = ?, owner = ?, suspended = ?,
    parked = ?, finished_at = ?, deletion_asked_at = coalesce(deletion_asked_at, ?),
    schema_version = ?, changed = ?, head = ?
WHERE id = ? AND uid = ? AND epoch = ? AND revision = ? AND (owner = ? OR ?)
"""
_INSERT = """
INSERT INTO workflows (namespace, name, uid, queue, priority, created_at, total, watchable, phase,
    epoch, revision, owner, suspended, schema_version, changed, head, ttl)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RESTS = f"""
SELECT 1 FROM workflows WHERE id = ? AND uid = ? AND revision = ? AND deletion_asked_at IS NULL
    AND phase IN ({", ".join(f"'{phase}'" for phase in sorted(FINISHED))})
    AND NOT EXISTS (SELECT 1 FROM requests WHERE key BETWEEN ? AND ?)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE key BETWEEN ? AND ?)
"""

Places = dict[Key, tuple[str, int, int]]
"""Where workflows lie: uid, number and how many steps. None of them changes; every write tests the
uid, so that one which came back under its name is not taken for the one that went."""


def creation(workflow: Workflow, now: float, folder: Folder | None) -> Operation[None]:
    """Create a workflow that has a uid. Raises AuthorError for a value that JSON can't hold."""
    try:
        body = encode(workflow)
    except (TypeError, ValueError, OverflowError) as error:
        key = rules.key_of(workflow)
        raise AuthorError(f"workflow '{key}' can't be stored: {error}") from error
    return partial(create, workflow, body, rules.first_head(workflow, now, folder))


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
        ttl_bytes(spec.ttl_seconds_after_finished),
    )
    number = transaction.execute(_INSERT, values).lastrowid
    transaction.execute("INSERT INTO documents (id, workflow) VALUES (?, ?)", (number, body))


def save(
    key: Key, changes: Changes, data: Encoded, places: Places, transaction: Transaction
) -> Saved:
    """Apply one save, or say why not. `places` remembers where workflows lie."""
    place = places.get(key)
    if place is None or place[0] != changes.uid:
        place = transaction.execute(_PLACE, (key.namespace, key.name)).fetchone()
        if place is None or place[0] != changes.uid:
            return Saved.LOST
        places[key] = place
    uid, number, total = place
    if rules.incoherence(changes, total) is not None:
        return _invalid(key, changes, transaction)
    head = changes.head
    execute = transaction.execute
    updated = execute(
        _UPDATE,
        (
            head.phase.value,
            head.owner.epoch,
            head.revision,
            head.owner.id,
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
            head.owner.id,
            rules.claims(changes),
        ),
    )
    if updated.rowcount != 1:
        return _refused(key, changes, transaction)
    low = number << SPAN
    if data.steps:
        transaction.executemany(
            "INSERT OR REPLACE INTO steps (key, phase, state) VALUES (?, ?, ?)",
            [(low | index, phase, state) for index, phase, state in data.steps],
        )
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


def _invalid(key: Key, changes: Changes, transaction: Transaction) -> Saved:
    """Invalid where nothing but its content is wrong with a save."""
    row = transaction.execute(_BASE, (key.namespace, key.name)).fetchone()
    if row is not None and rules.builds_on(changes, *row):
        return Saved.INVALID
    return _refused(key, changes, transaction)


def _refused(key: Key, changes: Changes, transaction: Transaction) -> Saved:
    """Saved where this very save was applied before, else Lost."""
    row = transaction.execute(_HEAD, (key.namespace, key.name)).fetchone()
    if row is None or row[0] != changes.uid:
        return Saved.LOST
    try:
        return Saved.SAVED if rules.repeats(changes.head, head_of(row[1])) else Saved.LOST
    except ValueError as error:
        raise damaged(key, "state", error) from error


def _next_key(table: str, low: int, high: int, transaction: Transaction) -> int:
    (last,) = transaction.execute(
        f"SELECT max(key) FROM {table} WHERE key BETWEEN ? AND ?",
        (low, high),
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


def remove(key: Key, ownership: Ownership, transaction: Transaction) -> str:
    """Take every row away, unless another live owner has it; the uid of what is gone."""
    number = _free(key, ownership, transaction)
    (uid,) = transaction.execute("SELECT uid FROM workflows WHERE id = ?", (number,)).fetchone()
    _take_away(key, number, transaction)
    return str(uid)


def expire(
    key: Key, uid: str, revision: int, ownership: Ownership, transaction: Transaction
) -> bool:
    """The same, if it is that workflow, finished at that revision, and nobody waits for anything.
    Nobody can change its document."""
    number = _free(key, ownership, transaction)
    as_it_was = transaction.execute(_RESTS, (number, uid, revision, *span(number), *span(number)))
    if as_it_was.fetchone() is None:
        return False
    _take_away(key, number, transaction)
    return True


def _free(key: Key, ownership: Ownership, transaction: Transaction) -> int:
    """The number of a workflow that no other live owner has."""
    number = _number(key, transaction)
    (owner,) = transaction.execute("SELECT owner FROM workflows WHERE id = ?", (number,)).fetchone()
    if owner and owner != ownership.id and (by := ownership.live(str(owner))):
        raise rules.owned(key, by)
    return number


def _take_away(key: Key, number: int, transaction: Transaction) -> None:
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
