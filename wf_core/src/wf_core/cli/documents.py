"""Files of workflows: reading them with what the command line puts over them, storing them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click
from msgspec.structs import replace

from wf_core.cli.outcome import MOST
from wf_core.cli.registry import installed
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.codec import lacking, read, read_document
from wf_core.codec.checks import label_faults
from wf_core.codec.compose import parse
from wf_core.codec.scalars import problem, resolve
from wf_core.codec.shape import Found, plain
from wf_core.errors import AuthorError, DocumentInvalid, Fault, OperatorError, WorkflowNotFound
from wf_core.folders import here
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import Json, Key, Workflow
from wf_core.ports import Store
from wf_core.saga.plan import effects_left

_TICK = 1e-6
"""Seconds between the creations of workflows that are submitted together."""

Document = Workflow | CronWorkflow
D = TypeVar("D", Workflow, CronWorkflow, Document)
Read = Callable[[str, Mapping[str, Json], Settings], D]

files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True)


def _param_option(help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--param",
        "-p",
        "params",
        metavar="KEY=VALUE",
        multiple=True,
        callback=lambda _ctx, _parameter, values: parameters(values),
        help=f"{help_text}; read as in YAML. May be repeated.",
    )


param_option = _param_option("Put a value over spec.parameters")
kind_param_option = _param_option("A parameter of the kind")
name_option = click.option("--name", "new_name", metavar="NEW", help="Give it another name.")
replace_option = click.option(
    "--replace", is_flag=True, help="Delete a finished workflow of the same name first."
)


def parameters(assignments: Sequence[str]) -> dict[str, Json]:
    """`KEY=VALUE` each, the value as YAML. Raises click.BadParameter."""
    found: dict[str, Json] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"'{assignment}' is not KEY=VALUE")
        found[key] = value_of(key, text)
    return found


def value_of(key: str, text: str) -> Json:
    """A plain scalar, or what stands in quotes or brackets. `#` and `: ` have no meaning here."""
    if not text:
        return ""
    if text[0] not in "\"'[{":
        value = resolve(text)
        why = problem(value)
        if why:
            raise click.BadParameter(f"the value of '{key}' {why}")
        return value
    faults = Found()
    try:
        value = plain(parse(text), "$", faults)
    except DocumentInvalid as error:
        raise click.BadParameter(
            f"the value of '{key}': {error.faults[0].message}; put it in quotes"
        ) from None
    if faults.faults:
        raise click.BadParameter(f"in the value of '{key}': {faults.faults[0].message}")
    return value


def require_name(option: str, name: str) -> None:
    """Raise click.UsageError where what an option gives is no name."""
    for fault in label_faults(option, name):
        raise click.UsageError(str(fault))


def read_file(file: str) -> tuple[bytes, str]:
    """The text of a file, `-` being stdin, and its name in messages. Raises click.UsageError."""
    if file == "-":
        return sys.stdin.buffer.read(), "stdin"
    try:
        return Path(file).read_bytes(), file
    except OSError as error:
        raise click.UsageError(f"can't read {file}: {error.strerror}") from None


def read_workflow(file: str, params: Mapping[str, Json], settings: Settings) -> Workflow:
    """The workflow of a file, checked in full. Raises DocumentInvalid, click.UsageError."""
    text, source = read_file(file)
    return _placed(read(text, source, installed(), params), source, settings)


def read_any(file: str, params: Mapping[str, Json], settings: Settings) -> Document:
    """The workflow or schedule of a file; otherwise as `read_workflow`."""
    text, source = read_file(file)
    return _placed(read_document(text, source, installed(), params), source, settings)


def _placed(document: D, source: str, settings: Settings) -> D:
    """In the namespace that the command line names, if any."""
    wanted, written = settings.namespace, document.metadata.namespace
    if wanted is None or wanted == written:
        return document
    require_name("--namespace", wanted)
    if written != "default":
        raise click.UsageError(
            f"{source} says namespace '{written}', the command line '{wanted}'; drop one of them"
        )
    return replace(document, metadata=replace(document.metadata, namespace=wanted))


def read_each(
    files: Sequence[str],
    params: Mapping[str, Json],
    new_name: str | None,
    settings: Settings,
    read: Read[D],
) -> list[D]:
    """The documents of all files, under `new_name` where one is given. Each name occurs once."""
    if new_name is not None:
        require_name("--name", new_name)
    if new_name is not None and len(files) != 1:
        raise click.UsageError("--name needs exactly one FILE")
    documents = [read(file, params, settings) for file in files]
    if new_name is not None:
        documents = [replace(d, metadata=replace(d.metadata, name=new_name)) for d in documents]
    seen: dict[tuple[type, Key], str] = {}
    for file, document in zip(files, documents, strict=True):
        key = key_of(document)
        if (type(document), key) in seen:
            what = "workflow" if isinstance(document, Workflow) else "schedule"
            first = seen[type(document), key]
            raise click.UsageError(f"{first} and {file} both hold a {what} '{key}'; rename one")
        seen[type(document), key] = file
    return documents


def lacking_here(document: Document) -> list[Fault]:
    """What this process lacks for it; an engine elsewhere may have it."""
    return lacking(workflow_of(document), installed())


def workflow_of(document: Document) -> Workflow:
    """The workflow itself, or that of a schedule."""
    if isinstance(document, Workflow):
        return document
    return Workflow(document.metadata, document.spec.workflow_template.spec)


def require_here(workflows: Sequence[Workflow]) -> None:
    """Raise OperatorError where this process lacks what a run needs."""
    for workflow in workflows:
        found = lacking(workflow, installed())
        if found:
            more = f"; and {len(found) - MOST:,} more" if len(found) > MOST else ""
            said = "; ".join(map(str, found[:MOST]))
            raise OperatorError(f"workflow '{key_of(workflow)}' can't run here: {said}{more}")


async def create_all(
    store: Store, workflows: Sequence[Workflow], *, replacing: bool, now: float
) -> list[Key]:
    """Store new workflows: all, or none where a name is taken.

    `replacing` removes a finished one of the same name first. They are created in the order given,
    which a queue keeps. Raises AuthorError with what to do.
    """
    keys = [key_of(workflow) for workflow in workflows]
    for key in [key for key in keys if await _is_taken(store, key, replacing)]:
        await store.remove(key)
    folder = here() if store.keeps_folders else None
    created = [
        await store.create(workflow, now + n * _TICK, folder)
        for n, workflow in enumerate(workflows)
    ]
    return [key_of(stored.workflow) for stored in created]


async def _is_taken(store: Store, key: Key, replacing: bool) -> bool:
    """Whether the name is taken by a workflow that may be replaced; raises where it may not."""
    try:
        stored = await store.load(key)
    except WorkflowNotFound:
        return False
    phase = stored.head.phase
    if phase not in FINISHED:
        raise AuthorError(
            f"workflow '{key}' exists and is {phase}: {wf(f'resume {key}')} goes on with it; "
            "`--name NEW` runs this one under another name"
        )
    if not replacing:
        raise AuthorError(
            f"workflow '{key}' exists and is {phase}: `--replace` deletes it first, as "
            f"{wf(f'delete {key}')} does; `--name NEW` runs this one under another name"
        )
    if phase is Phase.FAILED and effects_left(stored):
        raise AuthorError(
            f"workflow '{key}' is Failed, and what it did is not undone; {wf(f'explain {key}')} "
            f"says what helps, {wf(f'delete --force {key}')} forgets it as it is"
        )
    return True
