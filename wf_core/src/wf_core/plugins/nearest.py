"""Suggestions for misspelt names."""

from collections.abc import Iterable

_LONGEST = 100


def hint(word: str, names: Iterable[str]) -> str:
    """`did you mean 'NAME'?` for the name nearest to `word`, or nothing where none is near."""
    import difflib

    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word[:_LONGEST].casefold(), folded, n=1)
    return f"did you mean {folded[found[0]]!r}?" if found else ""
