"""Asking for a call, and taking its permit: what all hooks have in common (semantics E1, C1)."""

from wf_core.model.phases import BlockReason, Hook, PermitClass, Phase, Purpose, RequestType
from wf_core.model.places import Way, shown
from wf_core.model.spec import Parameters
from wf_core.model.state import Blocked
from wf_core.saga.ancestry import resolve_parameters
from wf_core.saga.events import Call, Stop
from wf_core.saga.ledger import Flight, Ledger
from wf_core.saga.references import find, refers
from wf_core.saga.saved_parameters import difference, merged
from wf_core.saga.sizes import parameters_too_large

PERMIT_OF = {
    Purpose.RUN: PermitClass.RUN,
    Purpose.ROLLBACK: PermitClass.ROLLBACK,
    Purpose.WATCH: PermitClass.WATCH,
}
UNDO_OPTIONS = (
    RequestType.RETRY_ROLLBACK,
    RequestType.SKIP_ROLLBACK,
    RequestType.MARK_ROLLED_BACK,
)


class Undecodable(ValueError):  # noqa: N818
    """The parameters of a step can't be turned into what its kind takes."""

    reason = BlockReason.KIND_UNAVAILABLE


class NoFolder(Undecodable):
    """The folder that the step must be called in is gone, or is not for this account."""

    reason = BlockReason.FOLDER_UNAVAILABLE


def fresh_parameters(ledger: Ledger, i: int) -> tuple[Parameters | None, object]:
    """Resolve and decode the parameters of a step's first intent (semantics B5, B6).

    Gives what is to be saved and the decoded ones; raises Undecodable with the reason. What is
    saved are those that the document does not say as they are, the kind's defaults among them: a
    newer version of the kind may have others. None: there are none.
    """
    given = ledger.step_spec(i).step_template.parameters
    kind = ledger.kinds[ledger.kind_of(i)]
    try:
        resolved = resolve_parameters(
            ledger.graph,
            ledger.spec.steps,
            ledger.steps,
            ledger.index,
            ledger.spec.parameters,
            i,
            kind.places(given) if refers(given) else {},
        )
        first = kind.decode(resolved)
        whole = kind.encode(first)
        saved = difference(given, whole)
        # The undo decodes what is saved: the run must be told the same.
        decoded = kind.decode(merged(given, saved))
        same = decoded == first or kind.encode(decoded) == whole
    except (ValueError, RecursionError) as error:  # a BadReference is a ValueError
        raise Undecodable(str(error)) from error
    if not same:
        raise Undecodable(
            f"the parameters of the kind '{ledger.kind_of(i)}' ({kind.identity}) are others once "
            "they are saved and read again, so its undo would not be told what its run was; "
            "whoever made the kind must let its parameter class give again what it is given"
        )
    why = parameters_too_large(saved, ledger.parameter_bytes)
    if why:
        raise Undecodable(why)
    return saved or None, decoded


def quoted_references(ledger: Ledger, i: int) -> str:
    """The warning about references that enter a step's shell texts; empty where there are none."""
    given = ledger.step_spec(i).step_template.parameters
    if not refers(given):
        return ""
    places = ledger.kinds[ledger.kind_of(i)].places(given)
    quoted = {place for place, _ in find(given) if places.get(place) is Way.SHELL}
    if not quoted:
        return ""
    where = ", ".join(shown(each, "")[1:] for each in sorted(quoted, key=str))
    return (
        f"warning: {where}: references in the text of a shell were put in as quoted variables; new "
        "documents are refused: pass values by env, or write the command as a list"
    )


def saved_parameters(ledger: Ledger, i: int) -> object:
    """Decode what the first intent saved; raises Undecodable where the kind is not what it was."""
    step = ledger.steps[i]
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is None:
        raise Undecodable(unavailable(ledger, i))
    if (why := misplaced(ledger, i)) is not None:
        raise NoFolder(why)
    given = ledger.step_spec(i).step_template.parameters
    try:
        return kind.decode(merged(given, step.parameters or {}))
    except ValueError as error:
        ran = step.run_kind or step.kind or "another version"
        raise Undecodable(
            f"its parameters no longer decode with {kind.identity}: {error}; they were saved under "
            f"{ran}: install a version that takes them, and start the engine again"
        ) from error


def unavailable(ledger: Ledger, i: int) -> str:
    """What to say of a step whose kind no plugin brings."""
    was = ledger.steps[i].kind
    brought = f"; {was} did" if was else ""
    return (
        f"no plugin brings the kind '{ledger.kind_of(i)}' now{brought}; "
        "install one and start the engine again"
    )


def misplaced(ledger: Ledger, i: int) -> str | None:
    """Why step i can't be called in the workflow's folder, from here; None where it can."""
    folder = ledger.head.folder
    if folder is None or ledger.misplaced is None:
        return None
    return ledger.misplaced(ledger.kind_of(i), folder)


def block_for_kind(
    ledger: Ledger,
    i: int,
    why: str,
    now: float,
    reason: BlockReason = BlockReason.KIND_UNAVAILABLE,
) -> None:
    """Let step i wait for its kind, or for its folder: it neither fails nor undoes (B10)."""
    undoing = ledger.steps[i].phase is Phase.ROLLING_BACK
    options = UNDO_OPTIONS if undoing else (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
    ledger.block(i, Blocked(reason, now, why, options))


def call(
    ledger: Ledger, i: int, hook: Hook, purpose: Purpose, parameters: object, now: float
) -> None:
    """Ask for a call whose permit was taken, and start its clocks."""
    step = ledger.steps[i]
    ledger.calls += 1
    ledger.flights[i] = Flight(ledger.calls, hook, purpose, PERMIT_OF[purpose])
    deadline = None
    if hook is Hook.SYNC:
        ledger.timers.set(i, "look-timeout", now + ledger.sync_timeout(i))
    else:
        deadline = step.attempt_deadline_at
        if deadline is not None:
            ledger.timers.set(i, "timeout", deadline)
    undoing = purpose is Purpose.ROLLBACK
    attempt = step.rollback_attempt if undoing else step.attempt
    ledger.effects.append(Call(i, ledger.calls, hook, purpose, attempt, parameters, deadline))


def stop(ledger: Ledger, i: int) -> None:
    """Ask what is in flight for step i to stop, once."""
    flight = ledger.flights[i]
    if not flight.stopping:
        flight.stopping = True
        ledger.effects.append(Stop(i, flight.call))


def give_permit(ledger: Ledger, i: int, flight: Flight) -> None:
    """Give a call's permit back, once."""
    if flight.permit is not None:
        ledger.permits.give(ledger.kind_of(i), flight.permit)
        flight.permit = None
