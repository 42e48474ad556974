"""Times and foreign text for a terminal."""

import pytest

from wf_core.cli.text import duration, one_line, plural


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (7800, "2h10m"),
        (356_400, "4d03h"),
    ],
)
def test_durations_are_short_and_never_negative(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_text_of_a_hook_cannot_steer_the_terminal() -> None:
    assert (
        one_line("a\n\tb\x1b[31m \x07")
        == "a b\N{REPLACEMENT CHARACTER}[31m \N{REPLACEMENT CHARACTER}"
    )


def test_a_noun_follows_its_number() -> None:
    assert [plural(n, "step") for n in (0, 1, 1200)] == ["0 steps", "1 step", "1,200 steps"]
