"""What holds for every command: the store, the configuration, the namespace.

The options may stand before the command or behind it; behind it wins.
"""

import os
import shlex
from collections.abc import Callable
from typing import Any

import attrs
import click
from click.core import ParameterSource

from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import Key, Workflow


@attrs.frozen
class Settings:
    """`store` is a URL or None for the user's own file, `config` a file or None for the defaults,
    `namespace` None for any."""

    store: str | None = None
    config: str | None = None
    namespace: str | None = None

    def key(self, name: str) -> Key:
        """How the store finds `NAME` or `NAMESPACE/NAME`."""
        namespace, slash, rest = name.rpartition("/")
        return Key(namespace if slash else self.namespace or "default", rest)

    @property
    def store_url(self) -> str:
        """The store's address."""
        if self.store:
            return self.store
        from wf_core.engine.local import default_store  # not where `--store` says it

        return default_store(os.environ)


def wf(words: str) -> str:
    """`wf WORDS` in backquotes, as it has to be typed to reach the same store again."""
    told = click.get_current_context(silent=True)
    while told is not None:
        if told.get_parameter_source("store") is ParameterSource.COMMANDLINE:
            settings = told.find_object(Settings)
            if settings is not None and settings.store:
                return f"`wf --store {shlex.quote(settings.store)} {words}`"
        told = told.parent
    return f"`wf {words}`"


def key_of(document: Workflow | CronWorkflow) -> Key:
    """How a store finds a workflow or a schedule."""
    return Key(document.metadata.namespace, document.metadata.name)


def shared_options(*, outer: bool) -> list[click.Option]:
    """The options of every command. The outer ones read the environment and fill the gaps."""

    def option(name: str, metavar: str | None, env: str | None, help_text: str) -> click.Option:
        return click.Option(
            [f"--{name}"],
            metavar=metavar,
            is_flag=metavar is None,
            default=None,
            envvar=env if outer else None,
            show_envvar=outer,
            help=help_text,
            expose_value=False,
            callback=_put(name) if name in SETTABLE else None,
        )

    return [
        option("store", "URL", "WF_STORE", "Where workflows are kept: sqlite:PATH, memory:, ..."),
        option("config", "FILE", "WF_CONFIG", "The engine's configuration."),
        option("namespace", "NAME", "WF_NAMESPACE", "The namespace of workflows."),
        option("debug", None, "WF_DEBUG", "Show tracebacks and what the engine logs."),
    ]


SETTABLE = frozenset(field.name for field in attrs.fields(Settings))
"""What is kept; whether to debug is asked before any option is parsed."""


def _put(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def put(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ARG001
        settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
        ctx.obj = settings if value is None else attrs.evolve(settings, **{name: value})
        return value

    return put
