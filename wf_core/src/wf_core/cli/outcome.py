"""What is said at the end of a run that did not go well, and which commands help."""

from collections.abc import Iterator, Sequence

from wf_core.cli.settings import key_of, wf
from wf_core.cli.text import one_line
from wf_core.model.phases import BlockReason, Phase, RequestType, Undo
from wf_core.model.spec import Key
from wf_core.model.state import Blocked, Stored

HELP: dict[str, str] = {
    RequestType.CANCEL: "cancel {key}",
    RequestType.CONTINUE: "continue {key}",
    RequestType.ROLLBACK: "rollback {key}",
    RequestType.RETRY_RUN: "retry {key} {step}",
    RequestType.MARK_SUCCEEDED: "mark-succeeded {key} {step}",
    RequestType.RETRY_ROLLBACK: "retry {key} {step}",
    RequestType.SKIP_ROLLBACK: "skip-rollback {key} {step}",
    RequestType.MARK_ROLLED_BACK: "mark-rolled-back {key} {step}",
}
"""The command that makes a request."""

MOST = 20  # steps named; a failure of thousands must stay readable


def lines(stored: Stored) -> list[str]:
    """What to know of a workflow that rests without being in Success; empty where it is."""
    key = key_of(stored.workflow)
    if stored.head.phase is Phase.SUCCESS:
        return []
    return [_first(key, stored), *(f"  {line}" for line in _details(key, stored))]


def _first(key: Key, stored: Stored) -> str:
    head = stored.head
    state = "suspended" if head.suspended else "waiting for a person"
    if head.phase not in (Phase.PENDING, Phase.RUNNING):
        state = str(head.phase)
    why = head.error or head.cause
    return f"{key} is {state}: {one_line(why)}" if why else f"{key} is {state}"


def _details(key: Key, stored: Stored) -> Iterator[str]:
    names = [spec.name for spec in stored.workflow.spec.steps]
    pairs = list(zip(names, stored.steps, strict=True))
    cause = stored.head.cause
    failed = [
        f"step '{name}' failed: {one_line(step.run_error)}"
        for name, step in pairs
        if step.failed and step.run_error and f"'{name}'" not in cause
    ]
    yield from failed[:MOST]
    if len(failed) > MOST:
        yield f"and {len(failed) - MOST:,} more failed; {wf(f'get {key}')} shows them"
    undone = [(s.reached.get(Phase.ROLL_BACKED, 0.0), n) for n, s in pairs if _was_undone(s.undo)]
    yield from _named("undone", [name for _, name in sorted(undone)])
    for undo, word in (
        (Undo.NEVER_RAN, "never ran"),
        (Undo.IRREVERSIBLE, "can't be undone and stays"),
        (Undo.SKIPPED, "undo skipped"),
    ):
        yield from _named(word, [n for n, s in pairs if s.undo is undo])
    yield from _waiting(key, [(n, s.blocked) for n, s in pairs if s.blocked is not None])
    if stored.head.suspended:
        yield f"  {wf(f'continue {key}')} goes on, {wf(f'cancel {key}')} undoes it"


def _waiting(key: Key, blocked: list[tuple[str, Blocked]]) -> Iterator[str]:
    for name, each in blocked[:MOST]:
        said = f": {one_line(each.message)}" if each.message else ""
        yield f"step '{name}' waits for a person, {each.reason}{said}"
        if each.reason is BlockReason.HOOK_STUCK:
            yield f"  {wf(f'resume {key}')}, once that process has ended"
        yield from (f"  {command}" for command in commands(key, name, each.options))
    if len(blocked) > MOST:
        yield f"and {len(blocked) - MOST:,} more wait for a person; {wf(f'explain {key}')} says why"
        yield f"  {wf(f'retry {key}')} tries all of them again"


def commands(key: Key, step: str | None, options: Sequence[str]) -> list[str]:
    """The commands that make the requests `options`, in backquotes."""
    return [
        wf(HELP[each].format(key=key, step=step or "").rstrip()) for each in options if each in HELP
    ]


def _was_undone(undo: Undo | None) -> bool:
    return undo in (Undo.CALLED, Undo.MARKED)


def _named(word: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
        yield f"{word}: {', '.join(names[:MOST])}{more}"
