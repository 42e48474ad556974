"""All checks of a kind. An author subclasses `Conformance`."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from wf_core.testing.conformance.checks_of_answers import AnswerChecks
from wf_core.testing.conformance.checks_of_crashes import CrashChecks
from wf_core.testing.conformance.checks_of_effects import EffectChecks
from wf_core.testing.conformance.checks_of_parameters import ParameterChecks
from wf_core.testing.conformance.world import World


class Conformance(ParameterChecks, EffectChecks, CrashChecks, AnswerChecks):
    """The promises of the kind of `world_class`, one test each.

    A world that needs more than a folder comes from a fixture `world` of the subclass's own.
    """

    world_class: ClassVar[type[World]]

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        """A clean world for one test."""
        made = self.world_class(tmp_path)
        yield made
        made.close()
