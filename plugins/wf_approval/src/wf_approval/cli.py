"""`wf approve` and `wf reject`."""

import click

from wf_approval.gate import Answer, signalled
from wf_approval.kind import Approval
from wf_approval.waiting import must_count, waiting_for
from wf_core.cli.asking import ask
from wf_core.cli.registry import installed
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store, now
from wf_core.cli.verb import verb
from wf_core.errors import AuthorError
from wf_core.model.phases import RequestType, Verdict
from wf_core.model.requests import Request
from wf_core.model.state import Stored
from wf_core.ports import Store

reason_option = click.option("--reason", default="", help="Why; it is kept with the answer.")
as_option = click.option(
    "--as",
    "by",
    metavar="NAME",
    help="Answer under this name, not under that of the account or of the cluster's user.",
)


@verb(
    "approve",
    examples="""
    wf approve order-17
    wf approve order-17 release --reason 'the stock is there'""",
)
@click.argument("name")
@click.argument("step", required=False)
@reason_option
@as_option
@click.pass_obj
def approve_command(
    settings: Settings, name: str, step: str | None, reason: str, by: str | None
) -> None:
    """Let a step that waits for approval go on.

    STEP may be left out where only one step of NAME waits.
    """
    _answer(settings, name, step, by, approved=True, reason=reason)


@verb(
    "reject",
    examples="""
    wf reject order-17 --reason 'too dear'
    wf reject order-17 release --as ann""",
)
@click.argument("name")
@click.argument("step", required=False)
@reason_option
@as_option
@click.pass_obj
def reject_command(
    settings: Settings, name: str, step: str | None, reason: str, by: str | None
) -> None:
    """Refuse what waits for approval: the workflow is undone.

    STEP may be left out where only one step of NAME waits.
    """
    _answer(settings, name, step, by, approved=False, reason=reason)


def _answer(
    settings: Settings, name: str, step: str | None, by: str | None, *, approved: bool, reason: str
) -> None:
    async def answer(store: Store) -> str:
        stored = await store.load(settings.key(name))
        key = key_of(stored.workflow)
        gated = waiting_for(stored, key, Approval.name, step, _sentences(stored))
        given = Answer(approved, by or await store.whoami(), reason)
        must_count(gated, given.by)
        value = signalled(given, now())
        asked = await ask(
            store, key, Request(RequestType.SIGNAL, name=gated.gate.signal, value=value)
        )
        what = f"{key}: step '{gated.step}' is {given.sentence}"
        if asked.answer is None:
            if asked.runner is None:
                return f"{what}; nothing is running it: {wf(f'resume {key}')} continues it"
            return f"{what}; its engine has not taken that up yet"
        if asked.answer.verdict is not Verdict.APPLIED:
            raise AuthorError(f"{key}: the answer did not count: {asked.answer.reason}")
        return what

    click.echo(ask_store(settings, answer))


def _sentences(stored: Stored) -> dict[str, str]:
    """What each step that waits for something waits for."""
    from wf_core.saga.explain import explain

    found = explain(stored, installed().kinds, now())
    return {waiting.step: waiting.sentence for waiting in found if waiting.step}
