"""What a loss of power may leave on a disk, from the recorded calls of a process.

What was synced is there. Of the writes since, any may be there, in part or not at all; a name that
was made or removed is only certain once its folder was synced. This is what POSIX grants: file
systems mostly do better.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from tests.crash.file_calls import Call

SECTOR = 512
Fate = Callable[[Sequence[Call]], Sequence[Call]]
"""Which of a file's calls since it was synced took effect, and how much of each."""


Image = tuple[tuple[str, bytes | None], ...]
"""Names and contents, folders (None) before what is in them."""


@attrs.define
class _File:
    """Its content on the disk, and the calls (w, t) that may have changed it since."""

    safe: bytearray = attrs.field(factory=bytearray)
    pending: list[Call] = attrs.field(factory=list)

    def content(self, fate: Fate) -> bytes:
        body = bytearray(self.safe)
        _apply(body, fate(self.pending))
        return bytes(body)


@attrs.define
class Disk:
    """The state of a disk after some calls below `root`, which itself is there."""

    root: Path
    _seen: dict[str, _File | None] = attrs.field(factory=dict)  # None: a folder
    _safe: dict[str, _File | None] = attrs.field(factory=dict)
    _names: list[tuple[str, _File | None, bool]] = attrs.field(factory=list)

    def take(self, call: Call) -> None:
        """One more call was made."""
        if call.path.endswith("-shm"):
            return  # memory that processes share: made anew by whoever opens the store first
        match call.what:
            case "c" | "d":
                new = _File() if call.what == "c" else None
                self._seen[call.path] = new
                self._names.append((call.path, new, True))
            case "u":
                self._names.append((call.path, self._seen.pop(call.path), False))
            case "s" if isinstance(file := self._seen.get(call.path), _File):
                _apply(file.safe, file.pending)
                file.pending.clear()
            case "s":
                here = [each for each in self._names if _folder(each[0]) == call.path]
                self._names = [each for each in self._names if each not in here]
                _rename(self._safe, here)
            case "w" | "t":
                file = self._seen[call.path]
                assert file is not None
                file.pending.append(call)
            case what:
                assert what == "n", f"the model knows no call '{what}'"

    def left(self, fate: Fate, *, names: bool) -> Image:
        """What is there afterwards. `names`: those not yet certain were made and removed."""
        left = dict(self._safe)
        if names:
            _rename(left, self._names)
        found: dict[str, bytes | None] = {}
        for name, file in sorted(left.items()):
            here = str(Path(name).relative_to(self.root))
            if "/" not in here or _folder(here) in found:  # else it was lost with its folder
                found[here] = None if file is None else file.content(fate)
        return tuple(found.items())


def put(image: Image, place: Path) -> None:
    """Make a folder with what was left."""
    place.mkdir()
    for name, content in image:
        if content is None:
            (place / name).mkdir()
        else:
            (place / name).write_bytes(content)


def nothing(_pending: Sequence[Call]) -> Sequence[Call]:
    """All that was not synced is lost."""
    return ()


def everything(pending: Sequence[Call]) -> Sequence[Call]:
    """Nothing is lost."""
    return pending


def the_last_alone(pending: Sequence[Call]) -> Sequence[Call]:
    """The disk wrote in another order."""
    return pending[-1:]


def only_the_size(pending: Sequence[Call]) -> Sequence[Call]:
    """The file grew, and what should be in it never arrived."""
    end = max((call.offset + len(call.data) for call in pending), default=0)
    return [attrs.evolve(pending[-1], what="grow", offset=end)] if end else ()


def torn_at(part: float) -> Fate:
    """The last write ends in its middle, at a part in (0, 1) of its length."""

    def fate(pending: Sequence[Call]) -> Sequence[Call]:
        if not pending:
            return ()
        last = pending[-1]
        return [*pending[:-1], attrs.evolve(last, data=last.data[: int(len(last.data) * part)])]

    return fate


def sectors(seed: int) -> Fate:
    """Each sector of each write arrived or not, by chance; a truncation likewise."""
    chance = random.Random(seed)

    def fate(pending: Sequence[Call]) -> Sequence[Call]:
        kept: list[Call] = []
        for call in pending:
            parts = range(0, max(1, len(call.data)), SECTOR)
            kept += [
                attrs.evolve(call, offset=call.offset + at, data=call.data[at : at + SECTOR])
                for at in parts
                if chance.random() < 0.6
            ]
        return kept

    return fate


def _apply(body: bytearray, calls: Sequence[Call]) -> None:
    for call in calls:
        end = call.offset + len(call.data)
        if call.what == "t":
            del body[call.offset :]
        if len(body) < call.offset or call.what == "grow":
            body.extend(bytes(max(0, call.offset - len(body))))
        if call.what == "w":
            body[call.offset : end] = call.data


def _rename(
    names: dict[str, _File | None], changes: Sequence[tuple[str, _File | None, bool]]
) -> None:
    for name, file, made in changes:
        if made:
            names[name] = file
        else:
            names.pop(name, None)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
