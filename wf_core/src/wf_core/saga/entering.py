"""How one value enters one text: as it is, into a URL, into a shell's text (semantics B5)."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Sequence

import attrs

from wf_core.model.spec import Json
from wf_core.saga.references import BadReference, Reference

Part = str | Reference
"""A piece of a text: the author's own, or what is put in."""

Lookup = Callable[[Reference], Json]

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED = [chr(each) if each in _UNRESERVED else f"%{each:02X}" for each in range(256)]

_BEFORE_PATH = 2048
"""Characters of scheme, host and port, however they come about."""

_OUTSIDE_HOST = re.compile(r"[^A-Za-z0-9._~:\[\]-]")
_IN_NAME = re.compile(r"[\w.-]*")
_AFTER_PATH = re.compile(r"[?#]")
_BRACED = re.compile(r"\{+[A-Za-z_][\w.-]*\}+")
_VARIABLE = "WF_REFERENCE_"


def plain(value: Json) -> str:
    """A value within a longer text."""
    return value if isinstance(value, str) else json.dumps(value)


def text(parts: Iterable[Part], lookup: Lookup) -> str:
    """As it is."""
    return "".join(each if isinstance(each, str) else plain(lookup(each)) for each in parts)


def braced(value: Json) -> Json:
    """A value in which no text reads `{name}`: it is written as the literal that it is."""
    if isinstance(value, str):
        return f"{{{value}}}" if _BRACED.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: braced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [braced(each) for each in value]
    return value


@attrs.define
class _Url:
    """A URL as it comes about. `path` is whether path, query or fragment have begun; `open` whether
    the author's own `{` still waits for its `}`."""

    made: list[str] = attrs.field(factory=list)
    length: int = 0
    path: bool = False
    open: bool = False

    def literal(self, said: str) -> None:
        """What the author wrote."""
        self._add(said)
        _, brace, tail = said.rpartition("{")
        self.open = (bool(brace) or self.open) and _IN_NAME.fullmatch(tail) is not None

    def put(self, reference: Reference, value: Json) -> None:
        """What a reference brings. Raises BadReference where it would leave its place."""
        written = f"${{{reference.text}}}"
        said = plain(value)
        if self.open:
            raise BadReference(f"{written} is inside {{ }} in a URL; write the name itself there")
        if self.path:
            self._add(encoded(said))
        elif not reference.given:
            raise BadReference(early(reference))
        elif not self.length:
            # Braces have no meaning in a URL, but the kind may expand `{name}`.
            self._add(said.replace("{", "%7B").replace("}", "%7D"))
        elif _OUTSIDE_HOST.search(said):
            raise BadReference(
                f"{written} is part of a host or port, and its value holds more than that; give "
                "the whole beginning of the URL by one parameter, or write it out"
            )
        else:
            self._add(said)

    def _add(self, said: str) -> None:
        self.made.append(said)
        self.length += len(said)
        if self.path:
            return
        self.path = path_begins("".join(self.made))
        if not self.path and self.length > _BEFORE_PATH:
            raise BadReference(
                f"a URL has {_BEFORE_PATH:,} characters and still no path; begin it with scheme, "
                "host and /"
            )


def path_begins(so_far: str) -> bool:
    """Whether scheme, host and port of a URL are over."""
    scheme, colon, rest = so_far.partition(":")
    if not colon or _ends_host(scheme):
        scheme, rest = "", so_far
    if rest.startswith("//"):
        return _ends_host(rest[2:])
    return _ends_host(rest) and not (scheme and rest == "/")


def _ends_host(text: str) -> bool:
    return any(each in text for each in "/?#\\")


def encoded(value: str) -> str:
    """A value in a path or query, where it can't be taken for anything else. What is no Unicode
    (half a surrogate pair) is replaced, as in every text that is sent."""
    return "".join(map(_ENCODED.__getitem__, value.encode(errors="replace")))


def early(reference: Reference) -> str:
    """What to say of a step's value before the path."""
    return (
        f"${{{reference.text}}} comes before the path of a URL, and no step says where a request "
        "goes; write scheme, host and port out, or begin with ${parameters.NAME}"
    )


def url(parts: Sequence[Part], lookup: Lookup) -> str:
    """Percent-encoded in path and query. Raises BadReference for what would lead elsewhere."""
    made = _Url()
    base, model = "", []
    for each in parts:
        if isinstance(each, str):
            made.literal(each)
            model.append(each)
            continue
        begins = not made.length
        made.put(each, lookup(each))
        if begins:
            base = "".join(made.made)
        model.append("" if begins else "x")
    whole = "".join(made.made)
    if "?" not in base and "#" not in base:
        _require_same_path(whole[len(base) :], "".join(model))
    return whole


def _require_same_path(rest: str, model: str) -> None:
    """What is put in holds no slash, so the segments of both are the same in number."""
    ours, theirs = (_AFTER_PATH.split(each, maxsplit=1)[0].split("/") for each in (rest, model))
    for segment, written in zip(ours, theirs, strict=True):
        if segment != written and segment.lower().replace("%2e", ".") in ("", ".", ".."):
            raise BadReference(
                f"a reference makes {segment!r} of a part of a URL's path, which would lead to "
                "another path than the one written"
            )


def shell(parts: Sequence[Part], lookup: Lookup) -> str:
    """A text for a shell: each value is in a variable that is set before it, quoted, and the place
    of the reference holds the variable. Whatever stands around it, the value is never read as
    shell text; where the quotes are misread it is at worst split, or not put in."""
    variables: dict[str, str] = {}
    before: list[str] = []
    made: list[str] = []
    quotes = _Quotes()
    for each in parts:
        if isinstance(each, str):
            quotes.read(each)
            made.append(each)
            continue
        if each.text not in variables:
            name = f"{_VARIABLE}{len(variables) + 1}"
            variables[each.text] = f"${{{name}}}"
            before.append(f"{name}={quoted(plain(lookup(each)))}; ")
        made.append(quotes.around(variables[each.text]))
    return "".join([*before, *made])


def quoted(value: str) -> str:
    """One word of a shell's; a NUL byte, which no word can hold, is left out."""
    return shlex.quote(value.replace("\0", ""))


@attrs.define
class _Quotes:
    """Where in a shell's text we are: outside of quotes, or inside of which, or in a comment."""

    inside: str = ""
    word: bool = False  # whether a word has begun, so that `#` begins no comment
    escaped: bool = False

    def read(self, said: str) -> None:
        """Go on by what the author wrote."""
        for each in said:
            if self.escaped:
                self.escaped, self.word = False, True
            elif self.inside == "#":
                self.inside = "" if each == "\n" else "#"
            elif each == self.inside:
                self.inside = ""
            elif each == "\\" and self.inside != "'":
                self.escaped = True
            elif self.inside:
                continue
            elif each in "'\"" or (each == "#" and not self.word):
                self.inside, self.word = each, True
            else:
                self.word = not (each.isspace() or each in ";&|()<>")

    def around(self, variable: str) -> str:
        """The variable as it is read here as one word."""
        self.word = True
        if self.inside == "'":
            return f"'\"{variable}\"'"
        return variable if self.inside == '"' else f'"{variable}"'
