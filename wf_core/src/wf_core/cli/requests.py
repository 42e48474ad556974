"""What people ask of a workflow: cancel, suspend, continue, retry and the rest (semantics D)."""

from collections.abc import Callable

import click

from wf_core.cli.asking import ask, check
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store
from wf_core.cli.verb import verb
from wf_core.errors import AuthorError
from wf_core.model.phases import Phase, RequestType, Verdict
from wf_core.model.requests import Request
from wf_core.model.spec import Json, Key
from wf_core.model.state import Stored
from wf_core.ports import Store

reason_option = click.option("--reason", default="", help="Why, for whoever reads it later.")


@verb("cancel", examples="wf cancel order-17 --reason 'customer called'")
@click.argument("name")
@reason_option
@click.pass_obj
def cancel_command(settings: Settings, name: str, reason: str) -> None:
    """Stop a workflow and undo what it did."""
    _ask(settings, name, Request(RequestType.CANCEL, reason=reason))


@verb("suspend", examples="wf suspend order-17")
@click.argument("name")
@reason_option
@click.pass_obj
def suspend_command(settings: Settings, name: str, reason: str) -> None:
    """Start no new step until `wf continue`.

    What runs already goes on to its end.
    """
    _ask(settings, name, Request(RequestType.SUSPEND, reason=reason))


@verb("continue", examples="wf continue order-17")
@click.argument("name")
@reason_option
@click.pass_obj
def continue_command(settings: Settings, name: str, reason: str) -> None:
    """End a suspension.

    (`wf resume` is what goes on after a crash.)
    """
    _ask(settings, name, Request(RequestType.CONTINUE, reason=reason))


@verb("rollback", examples="wf rollback order-17")
@click.argument("name")
@reason_option
@click.pass_obj
def rollback_command(settings: Settings, name: str, reason: str) -> None:
    """Undo a workflow that is in Success."""
    _ask(settings, name, Request(RequestType.ROLLBACK, reason=reason))


@verb(
    "retry",
    examples="""
    wf retry order-17
    wf retry order-17 payment""",
)
@click.argument("name")
@click.argument("step", required=False)
@reason_option
@click.pass_obj
def retry_command(settings: Settings, name: str, step: str | None, reason: str) -> None:
    """Try again what waits for a person.

    A run where the workflow goes forward, an undo where it goes back. Without STEP: every
    step of NAME that waits.
    """

    def retry(stored: Stored) -> Request:
        forward = stored.head.phase in (Phase.PENDING, Phase.RUNNING, Phase.SUCCESS)
        started = any(each.attempt for each in stored.steps)
        back = started and not forward
        return Request(RequestType.RETRY_ROLLBACK if back else RequestType.RETRY_RUN, step, reason)

    _ask(settings, name, retry)


@verb("skip-rollback", examples="wf skip-rollback order-17 payment --reason 'refunded by hand'")
@click.argument("name")
@click.argument("step")
@reason_option
@click.pass_obj
def skip_rollback_command(settings: Settings, name: str, step: str, reason: str) -> None:
    """Leave a step as it is and undo the rest.

    The workflow ends Failed.
    """
    _ask(settings, name, Request(RequestType.SKIP_ROLLBACK, step, reason))


@verb("mark-rolled-back", examples="wf mark-rolled-back order-17 payment")
@click.argument("name")
@click.argument("step")
@reason_option
@click.pass_obj
def mark_rolled_back_command(settings: Settings, name: str, step: str, reason: str) -> None:
    """Say that a step was undone by hand.

    The undo goes on from there.
    """
    _ask(settings, name, Request(RequestType.MARK_ROLLED_BACK, step, reason))


@verb("mark-succeeded", examples="wf mark-succeeded order-17 payment")
@click.argument("name")
@click.argument("step")
@reason_option
@click.pass_obj
def mark_succeeded_command(settings: Settings, name: str, step: str, reason: str) -> None:
    """Say that a step was done by hand.

    It must be one whose run waits for a person.
    """
    _ask(settings, name, Request(RequestType.MARK_SUCCEEDED, step, reason))


@verb(
    "signal",
    examples="""
    wf signal order-17 approved
    wf signal order-17 price 17.5""",
)
@click.argument("name")
@click.argument("signal")
@click.argument("value", required=False)
@click.pass_obj
def signal_command(settings: Settings, name: str, signal: str, value: str | None) -> None:
    """Send a named value to a workflow.

    VALUE is read as in YAML.
    """
    from wf_core.cli.documents import value_of

    sent: Json = None if value is None else value_of(signal, value)
    _ask(settings, name, Request(RequestType.SIGNAL, name=signal, value=sent))


def _ask(settings: Settings, name: str, request: Request | Callable[[Stored], Request]) -> None:
    """Make a request, or the one that fits the workflow as it is stored."""

    async def ask_it(store: Store) -> str:
        stored = await store.load(settings.key(name))
        key = key_of(stored.workflow)
        fitting = request if isinstance(request, Request) else request(stored)
        check(stored, key, fitting)
        return await _say(store, key, fitting)

    click.echo(ask_store(settings, ask_it))


async def _say(store: Store, key: Key, request: Request) -> str:
    """Make the request; what became of it. Raises AuthorError where it was refused."""
    asked = await ask(store, key, request)
    what = f"{key}: {request.type}" + (f" of step '{request.step}'" if request.step else "")
    if asked.answer is None:
        if asked.runner is None:
            return (
                f"{what} is requested; nothing is running it: {wf(f'resume {key}')} will apply it"
            )
        return f"{what} is asked; it applies once the call in flight has ended"
    reason = asked.answer.reason
    if asked.answer.verdict is Verdict.REFUSED:
        raise AuthorError(f"{what} was refused: {reason}")
    if asked.answer.verdict is Verdict.NO_EFFECT:
        return f"{what} has no effect: {reason}"
    return f"{what} is applied"
