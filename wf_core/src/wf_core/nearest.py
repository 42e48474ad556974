"""Suggestions for misspelt names."""

from collections.abc import Iterable

import attrs

_LONGEST = 100


def hint(word: str, names: Iterable[str]) -> str:
    """`did you mean 'NAME'?` for the name nearest to `word`, or nothing where none is near."""
    import difflib  # only where something is misspelt

    folded = {name.casefold(): str(name) for name in names}
    found = difflib.get_close_matches(word[:_LONGEST].casefold(), folded, n=1)
    return f"did you mean {folded[found[0]]!r}?" if found else ""


@attrs.define
class Hints:
    """Hints from a long list of names. Each costs a pass over the list, so they are rationed:
    a document of 10,000 misspelt names must not take 10,000 passes."""

    names: tuple[str, ...]
    left: int = 20

    def hint(self, word: str) -> str:
        """As the function `hint`, until the ration is used up."""
        if self.left == 0:
            return ""
        self.left -= 1
        return hint(word, self.names)
