"""What a process has open, as a file that outlives it: `ports.OpenRecord` in a folder.

Each process appends to a file of its own, which it keeps locked; a file that nobody locks is a dead
one's. What such files said is added up in one more, which is written after a crash only.
"""

import fcntl
import logging
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import msgspec

from wf_core.adapters.own_files import close_own, open_own
from wf_core.folders import make_own, write_private
from wf_core.ports import LeftOpen, Open

log = logging.getLogger("wf.engine")
LONGEST = 1024 * 1024
"""Bytes after which the file is begun anew with what is open."""
MOST_KEPT = 64 * LONGEST
"""Bytes that are read of what is known of the dead: no wf writes as much."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")

_encode = msgspec.json.Encoder().encode
_line = msgspec.json.Decoder(tuple[str, str, str])


@attrs.frozen
class Died:
    """What a process that died had `open`, and whether it had lived with it alone; of how many
    deaths in a row it was clearing up `after`."""

    open: Mapping[Open, bool] = attrs.field(factory=dict)
    after: int = 0


class Kept(msgspec.Struct):
    """What is known of those that died. `version` is the engine's that counted `taking_up`."""

    version: str = ""
    deaths: int = 0
    open: dict[str, dict[str, bool]] = {}
    taking_up: dict[str, int] = {}

    def left(self) -> LeftOpen:
        """The same, as the engine asks for it."""
        found = {
            Open(workflow, step): alone
            for workflow, steps in self.open.items()
            for step, alone in steps.items()
        }
        return LeftOpen(found, self.deaths, dict(self.taking_up))

    def over(self, what: Open) -> None:
        """That is over, and the process lives."""
        steps = self.open.get(what.workflow, {})
        steps.pop(what.step, None)
        if not steps:
            self.open.pop(what.workflow, None)
        if not self.open:
            self.deaths = 0

    def calm(self) -> None:
        """What was left open is over."""
        self.deaths, self.open = 0, {}

    def calm_of(self, known: LeftOpen) -> None:
        """That much of it is over; another process may have died since."""
        for each in known.open:
            self.over(each)
        if not self.open:
            self.deaths = 0
        elif self.deaths <= known.deaths:
            self.deaths = 1

    def counted_by(self, version: str) -> None:
        """Go on for that version of the engine: what killed another may be read by this one."""
        if self.version != version:
            self.version, self.taking_up = version, {}


class NoRecord:
    """Where nothing outlives the process. Implements `ports.OpenRecord`."""

    def left(self) -> LeftOpen:
        """Nothing is known."""
        return LeftOpen()

    def opened(self, what: Open) -> None:
        """As `OpenRecord.opened`."""

    def closed(self, what: Open) -> None:
        """As `OpenRecord.closed`."""

    def outlived(self, what: Open) -> None:
        """As `OpenRecord.outlived`."""

    def follows(self, deaths: int) -> None:
        """As `OpenRecord.follows`."""

    def told(self, workflow: str) -> None:
        """As `OpenRecord.told`."""

    def lift(self, workflow: str) -> None:
        """As `OpenRecord.lift`."""

    def calm(self) -> None:
        """As `OpenRecord.calm`."""

    def close(self) -> None:
        """As `OpenRecord.close`."""


class OpenFile:
    """What one process has open, in a file of its own in `folder`, which is made when something is
    opened first; and the files that dead ones left there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{uuid.uuid4().hex}.open"
        self._file: int | None = None
        self._length = 0
        self._open: dict[Open, bool] = {}  # whether the process has lived with it alone
        self._after = 0
        self._ended = False

    def dead(self) -> Mapping[Path, Died]:
        """What is known of each process that died there, by its file. Raises OSError."""
        found = {}
        for path in sorted(self._folder.glob("*.open")):
            dead = None if path == self._path else _dead(path)
            if dead is not None:
                found[path] = dead
        return found

    def opened(self, what: Open) -> None:
        """As `OpenRecord.opened`."""
        self._open[what] = False
        self._write("+", what)

    def closed(self, what: Open) -> None:
        """As `OpenRecord.closed`."""
        if what in self._open:
            del self._open[what]
            self._write("-", what)

    def outlived(self, what: Open) -> None:
        """As `OpenRecord.outlived`."""
        self._open[what] = True
        self._write("~", what)

    def follows(self, deaths: int) -> None:
        """As `OpenRecord.follows`."""
        before, self._after = self._after, deaths
        if self._file is not None and deaths != before:
            try:
                self._begin()
            except OSError as error:
                self._fails(error)

    def close(self) -> None:
        """As `OpenRecord.close`."""
        self._ended = True
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            close_own(self._file)
            self._file = None

    def _write(self, sign: str, what: Open) -> None:
        if self._ended:
            return
        line = _encode((sign, what.workflow, what.step)) + b"\n"
        try:
            if self._file is None or self._length > LONGEST:
                self._begin()
            else:
                os.pwrite(self._file, line, self._length)
                self._length += len(line)
        except OSError as error:
            self._fails(error)

    def _begin(self) -> None:
        """The file, with all that is open now."""
        if self._file is None:
            make_own(self._folder)
            self._file = open_own(self._path, os.O_CREAT | os.O_RDWR)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        lines = [_encode(("=", _boot(), str(self._after)))]
        for each, outlived in self._open.items():
            lines.append(_encode(("~" if outlived else "+", each.workflow, each.step)))
        body = b"\n".join(lines) + b"\n"
        os.pwrite(self._file, body, 0)
        os.ftruncate(self._file, len(body))
        self._length = len(body)

    def _fails(self, error: OSError) -> None:
        log.warning(
            "what is open can't be noted in %s: %s; a hook that kills this process again and again "
            "is not told from its neighbours",
            self._folder,
            error,
        )
        self.close()


class FolderRecord(OpenFile):
    """Implements `ports.OpenRecord` in `folder`. Another `version` of the engine takes up again
    what killed this one."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder)
        self._version = version
        self._known = LeftOpen()

    def left(self) -> LeftOpen:
        """As `OpenRecord.left`."""
        try:
            if not self._folder.is_dir():
                return LeftOpen()
            with self._state() as kept:
                for path, dead in self.dead().items():
                    add_death(kept, dead)
                    path.unlink(missing_ok=True)
        except OSError as error:
            self._fails(error)
            return LeftOpen()
        self._known = kept.left()
        return self._known

    def told(self, workflow: str) -> None:
        """As `OpenRecord.told`."""
        self._change(lambda kept: kept.open.pop(workflow, None))

    def lift(self, workflow: str) -> None:
        """As `OpenRecord.lift`."""
        self._change(lambda kept: kept.taking_up.pop(workflow, None))

    def calm(self) -> None:
        """As `OpenRecord.calm`. Other engines share the folder: what this one has not read is of
        theirs."""
        known, self._known = self._known, LeftOpen()
        self._change(lambda kept: kept.calm_of(known))

    def _change(self, change: Callable[[Kept], object]) -> None:
        if self._ended or not (self._folder / "state.json").exists():
            return
        try:
            with self._state() as kept:
                change(kept)
        except OSError as error:
            self._fails(error)

    @contextmanager
    def _state(self) -> Iterator[Kept]:
        """What is kept of the dead, to be changed by one process at a time."""
        path = self._folder / "state.json"
        lock = open_own(self._folder / "state.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = _read(path)
            try:
                kept = msgspec.json.decode(before, type=Kept)
            except msgspec.DecodeError as error:
                log.warning("%s can't be read and is begun anew: %s", path, error)
                kept = Kept()
            kept.counted_by(self._version)
            yield kept
            after = _encode(kept)
            if after != before and (kept.open or kept.deaths or kept.taking_up or path.exists()):
                made = path.with_suffix(".new")
                write_private(made, after)
                made.replace(path)
        finally:
            close_own(lock)


def _read(path: Path) -> bytes:
    try:
        file = open_own(path, os.O_RDONLY)
    except FileNotFoundError:
        return b"{}"
    try:
        return os.pread(file, MOST_KEPT, 0)
    finally:
        close_own(file)


def _dead(path: Path) -> Died | None:
    """What is known of the process of that file; None while it lives."""
    try:
        file = open_own(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        found: dict[Open, bool] = {}
        after = 0
        for line in os.pread(file, 4 * LONGEST, 0).splitlines():
            try:
                sign, workflow, step = _line.decode(line)
            except msgspec.DecodeError:
                break  # it died while it wrote
            if sign == "=" and workflow != _boot():
                return Died()  # the machine went down, which is no fault of what ran on it
            if sign == "=" and step.isdecimal():
                after = int(step[:9])
            if sign in "+~":
                found[Open(workflow, step)] = sign == "~"
            elif sign == "-":
                found.pop(Open(workflow, step), None)
        return Died(found, after)
    except BlockingIOError:
        return None
    finally:
        close_own(file)


def add_death(kept: Kept, died: Died) -> None:
    """One more process died. In a row are deaths of which each process was clearing up after the
    one before: engines that share a folder die each for itself."""
    dead = died.open
    if dead:
        kept.deaths = max(kept.deaths, died.after + 1)
    suspects = [each for each, outlived in dead.items() if not outlived]
    for each in dead:  # what an older death left of its calls, or of its taking up, is over
        before = kept.open.pop(each.workflow, {})
        left = {step: alone for step, alone in before.items() if bool(step) != bool(each.step)}
        if left:
            kept.open[each.workflow] = left
    for each in dead:
        alone = suspects == [each] or len(dead) == 1
        kept.open.setdefault(each.workflow, {})[each.step] = alone
        if alone and not each.step:
            kept.taking_up[each.workflow] = kept.taking_up.get(each.workflow, 0) + 1


def _boot() -> str:
    return _BOOT.read_text().strip() if _BOOT.exists() else ""
