"""Which word of a command a shell reads as its text: what follows `sh -c`."""

import re
from collections.abc import Sequence

_USERS = frozenset({"su", "runuser"})
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish"}) | _USERS
_COMMAND = re.compile(r"-[A-Za-z]*c[A-Za-z]*")
_WITH_ARGUMENT = re.compile(r"[-+][A-Za-z]*[oO]|--rcfile|--init-file")


def shell_text(words: Sequence[object]) -> int | None:
    """The index of the text, or None. The shell may stand behind other words, as in `env sh -c`."""
    n = 0
    while n < len(words):
        word = words[n]
        n += 1
        program = word.rpartition("/")[2] if isinstance(word, str) else ""
        if program in SHELLS:
            if program in _USERS and n + 1 < len(words) and _is_command(words[n + 1]):
                n += 1  # `su USER -c TEXT` has a name before the option
            found, n = _after_shell(words, n)
            if found is not None:
                return found
    return None


def _after_shell(words: Sequence[object], n: int) -> tuple[int | None, int]:
    """The text of the shell whose options begin at n, or None; and where its options end."""
    asked = False
    while n < len(words):
        word = words[n]
        if not isinstance(word, str) or word[:1] not in ("-", "+"):
            return (n if asked else None), n
        asked = asked or _is_command(word)
        n += 2 if _WITH_ARGUMENT.fullmatch(word) else 1
    return None, n


def _is_command(word: object) -> bool:
    return isinstance(word, str) and (_COMMAND.fullmatch(word) is not None or word == "--command")
