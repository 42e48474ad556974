"""`wf explain` and `wf history`: what a workflow waits for, and how it came there."""

from collections.abc import Iterator
from typing import Any

import click

from wf_core.cli.outcome import MOST, commands
from wf_core.cli.output import Format, output_option, print_table, show
from wf_core.cli.registry import installed
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store, load_one, now, runner_of, standing_of
from wf_core.cli.text import one_line, stamp, zoned
from wf_core.cli.verb import verb
from wf_core.errors import AuthorError
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.requests import Answer
from wf_core.model.spec import Key
from wf_core.model.state import Stored, Transition
from wf_core.ports import Store
from wf_core.standing import Standing


@verb(
    "explain",
    examples="""
    wf explain order-17
    wf explain order-17 -o json""",
)
@click.argument("name")
@output_option()
@click.pass_obj
def explain_command(settings: Settings, name: str, output: Format) -> None:
    """Say what each waiting step waits for.

    Where that is a person, the commands that help are named.
    """

    from wf_core.cli.holders import with_holders
    from wf_core.saga.explain import Reason, Waiting, explain

    async def find(store: Store) -> tuple[Stored, str | None, list[str], list[Waiting]]:
        stored = await store.load(settings.key(name))
        key = key_of(stored.workflow)
        owner, standing = await runner_of(store, key), await standing_of(store, key)
        refusals = standing.refusals if standing is not None else ()
        found = [
            *(Waiting(None, Reason.REFUSED, sentence) for sentence in refusals),
            *await with_holders(store, stored, explain(stored, installed().kinds, now())),
        ]
        server = None if owner else await store.served_by()
        return stored, owner, list(_unclaimed(key, standing, server)), found

    stored, owner, unclaimed, found = ask_store(settings, find)
    key = key_of(stored.workflow)
    blocked = {
        spec.name: step.blocked
        for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True)
        if step.blocked is not None
    }

    def table() -> None:
        if owner is None and (stored.head.phase not in FINISHED or stored.asked):
            for line in unclaimed:
                click.echo(f"{key}: {line}")
        for asked in stored.asked:
            of = f" of step '{asked.request.step}'" if asked.request.step else ""
            click.echo(f"{key}: {asked.request.type}{of} was asked and is not answered yet")
        for waiting in found[:MOST]:
            click.echo(f"{waiting.step or key}: {one_line(waiting.sentence)}")
            if waiting.step in blocked:
                for command in commands(key, waiting.step, blocked[waiting.step].options):
                    click.echo(f"  {command}")
        if len(found) > MOST:
            every = wf(f"explain {key} -o json")
            click.echo(f"... and {len(found) - MOST:,} more; {every} has all of them")
        if not found and stored.head.phase in FINISHED:
            click.echo(f"{key}: {_ended(stored)}")

    show(
        output,
        lambda: {
            "items": [
                {"step": w.step, "reason": w.reason.value, "sentence": w.sentence} for w in found
            ]
        },
        lambda: [waiting.step for waiting in found if waiting.step],
        table,
    )


@verb(
    "history",
    examples="""
    wf history order-17
    wf history order-17 --step payment""",
)
@click.argument("name")
@click.option("--step", help="Only this step.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@click.pass_obj
def history_command(settings: Settings, name: str, step: str | None, output: Format) -> None:
    """Show every transition and what people asked for.

    The oldest first. With --step only that step's, and how its last attempts ended.
    """
    stored = load_one(settings, name)
    names = [spec.name for spec in stored.workflow.spec.steps]
    if step is not None and step not in names:
        raise AuthorError(f"workflow '{name}' has no step '{step}'; {wf(f'get {name}')} lists them")
    moves = ask_store(settings, lambda store: store.history(settings.key(name)))
    chosen = [move for move in moves if step in (None, move.step)]
    answers = [each for each in stored.head.answers if step in (None, each.step)]
    attempts = stored.steps[names.index(step)].attempts if step is not None else ()

    def table() -> None:
        print_table(
            ("TIME", "WHAT", "FROM", "TO", "ATTEMPT", "BY", "REASON"),
            [
                (
                    stamp(move.at),
                    move.step or "(workflow)",
                    move.before,
                    move.after,
                    str(move.attempt or ""),
                    one_line(move.by),
                    one_line(move.reason),
                )
                for move in chosen
            ],
        )
        if answers:
            click.echo()
            print_table(
                ("ANSWERED", "REQUEST", "STEP", "BY", "WHY", "VERDICT", "REASON"),
                [
                    (
                        stamp(each.at),
                        each.type,
                        each.step or "",
                        one_line(_who(each)),
                        one_line(each.request_reason),
                        each.verdict,
                        one_line(each.reason),
                    )
                    for each in answers
                ],
            )
        if attempts:
            click.echo()
            print_table(
                ("ENDED", "HOOK", "ATTEMPT", "OUTCOME", "ERROR"),
                [
                    (stamp(a.ended_at), a.hook, str(a.number), a.outcome, one_line(a.error or ""))
                    for a in attempts
                ],
            )

    show(
        output,
        lambda: {
            "items": [_move(move) for move in chosen],
            "requests": [_answer(each) for each in answers],
        },
        lambda: (),
        table,
    )


def _unclaimed(key: Key, standing: Standing | None, server: str | None) -> Iterator[str]:
    """Who goes on with what nobody has claimed, in words."""
    if server is not None:
        yield f"not running now; {server} serves this store"
    elif standing is None:
        helps = f"{wf(f'resume {key}')} or {wf('serve')} continues it"
        yield f"nothing is running it now; {helps}"
    elif standing.keeper:
        yield f"{standing.keeper} runs, and goes on with what is in its namespaces"
    elif standing.keeper is not None:
        yield f"no controller runs: no Lease of one is renewed; {wf(f'resume {key}')} goes on"
    if standing is not None:
        yield from standing.unknown


def _ended(stored: Stored) -> str:
    """How a workflow that waits for nothing came to its end, and why."""
    head = stored.head
    if head.phase is Phase.SUCCESS:
        return "finished: succeeded"
    if head.phase is Phase.ROLL_BACKED:
        return f"finished: rolled back{f', because {one_line(head.cause)}' if head.cause else ''}"
    began = any(step.attempt for step in stored.steps)
    what = "the undo failed" if began else "it could not start"
    return f"finished: {what}{f': {one_line(head.error)}' if head.error else ''}"


def _move(move: Transition) -> dict[str, Any]:
    return {
        "at": zoned(move.at),
        "step": move.step,
        "from": move.before.value,
        "to": move.after.value,
        "attempt": move.attempt,
        "reason": move.reason,
        "by": move.by,
        "revision": move.revision,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "at": zoned(answer.at),
        "request": answer.type.value,
        "step": answer.step,
        "by": answer.by,
        "verified": answer.verified,
        "requestReason": answer.request_reason,
        "verdict": answer.verdict.value,
        "reason": answer.reason,
    }


def _who(answer: Answer) -> str:
    return answer.by if answer.verified or not answer.by else f"{answer.by} (not verified)"
