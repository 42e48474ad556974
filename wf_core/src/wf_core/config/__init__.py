"""What an operator may set: values (`values`), where they are found and how they are read.

Reading needs cattrs and PyYAML, which are imported when a file is read and not before: most
commands run without one.
"""

from pathlib import Path

from wf_core.config.location import find
from wf_core.config.values import (
    CallbackConfig,
    Ceilings,
    Config,
    ControllerConfig,
    Floors,
    NamespaceLimits,
    QueueConfig,
    QueueLimits,
    ShareBy,
    StepConfig,
    Strategy,
    Ttl,
)

__all__ = [
    "CallbackConfig",
    "Ceilings",
    "Config",
    "ControllerConfig",
    "Floors",
    "NamespaceLimits",
    "QueueConfig",
    "QueueLimits",
    "ShareBy",
    "StepConfig",
    "Strategy",
    "Ttl",
    "find",
    "load",
    "parse",
    "to_document",
]


def load(path: Path) -> Config:
    """The configuration of a file. Raises `ConfigInvalid`, as `parse` or where it can't be read."""
    from wf_core.config import loading

    return loading.load(path)


def parse(text: str, source: str) -> Config:
    """The configuration of a text; `source` names it in messages.

    Raises `ConfigInvalid` that names every fault with its path, line and column.
    """
    from wf_core.config import loading

    return loading.parse(text, source)


def to_document(config: Config) -> dict[str, object]:
    """The configuration as a file would say it, every key present. Durations are seconds."""
    from wf_core.config import loading

    return loading.to_document(config)
