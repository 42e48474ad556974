"""The table of the machine."""

from collections.abc import Iterable, Iterator

from docs.reference.markdown import table

from wf_core.saga import table as moves


def page() -> str:
    """All moves, as lists and as pictures."""
    return "\n".join(
        [
            "# Transitions",
            "",
            "All moves that there are. Anything not listed is impossible: the machine refuses it.",
            "",
            *_moves("A workflow", "workflow", moves.WORKFLOW),
            *_moves("A step", "step", moves.STEP),
            "A run that fails for good leaves its step in Running and moves only the workflow:",
            "it is the undo that moves steps to RollingBack. Only RollBacked absorbs.",
            "",
        ]
    )


def _moves(title: str, picture: str, listed: Iterable[moves.Move]) -> Iterator[str]:
    yield from (f"## {title}", "")
    yield from (f"![The phases of {title[:1].lower()}{title[1:]}](transitions-{picture}.svg)", "")
    rows = ((str(move.before), str(move.after), move.when) for move in listed)
    yield from table(("from", "to", "when"), rows)
