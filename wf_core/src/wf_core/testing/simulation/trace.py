"""Everything that happens in a play, in order: for people to read, and for a hash to compare."""

import hashlib


class Violation(Exception):  # noqa: N818  (what was found, not an error of the simulation)
    """A rule does not hold. `rule` is its number, `timeline` what led to it."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.message = message
        self.seed = 0
        self.timeline: tuple[str, ...] = ()


class Trace:
    """Lines of a play. `digest` is the SHA-256 of them all."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, at: float, text: str) -> None:
        """Something happened at `at` (seconds from the start)."""
        self.lines.append(f"{at:11.3f}  {text}")

    def digest(self) -> str:
        """The hash of everything noted."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
