"""What is raised for parameters that can't be decoded."""

from collections.abc import Sequence

from wf_core.errors import Fault

AUTHOR = "its author must mend it"
"""The hint of a fault that is the kind's, not the document's."""


class ParametersInvalid(ValueError):  # noqa: N818
    """Parameters have faults: all of them, at paths such as `$.sleepSeconds`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))
