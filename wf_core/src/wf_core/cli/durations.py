"""Durations on the command line, as in the configuration."""

from typing import Any

import click

from wf_core.config.scalars import seconds


class Duration(click.ParamType[float]):
    """Seconds, of at least so many (`least`)."""

    name = "duration"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Raises click.BadParameter."""
        if isinstance(value, float):
            return value
        try:
            found = seconds(str(value))
        except ValueError as error:
            self.fail(f"'{value}' {error}", param, ctx)
        if found < self._least:
            self.fail(f"'{value}' is too small: the least is {self._least:g}", param, ctx)
        return found
