"""What died controllers had open, on the Lease: for whoever leads next, in whichever pod.

Each process notes what it has open in a folder of its pod (`wf_core.adapters.open_record`), and
that costs no request. What it left there when it died is found by the container that is started
again in the pod, which writes it to the Lease with its first look, as leader or on standby. Whoever
leads takes off what turned out innocent, with its next renewal.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from wf_core.adapters.open_record import Died, Kept, OpenFile, add_death
from wf_core.ports import LeftOpen, Open
from wf_k8s.leadership.record import Document

log = logging.getLogger("wf.leader")
ANNOTATION = "workflow.example.com/suspects"
MOST_BYTES = 64 * 1024
"""What is written at most; an object may have annotations of 256 KiB."""
MOST_READ = 256 * 1024
MOST_COUNTED = 16


class Noted(Kept):
    """What the annotation says. `counted` names the latest files that are in it, so that one whose
    write was not answered is not counted twice."""

    counted: list[str] = msgspec.field(default_factory=list)


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Noted)


class LeaseRecord(OpenFile):
    """Implements `ports.OpenRecord`: what this process has open is in `folder`, what is known of
    those that died on the Lease. Another `version` of the engine takes up again what killed this
    one."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder)
        self._version = version
        self._stored = Noted()
        self._changes: list[Callable[[Kept], object]] = []
        self._dead: dict[Path, Died] = {}
        self._left: LeftOpen | None = None
        try:
            self._dead.update(self.dead())
        except OSError as error:
            self._fails(error)

    # What the engine asks

    def left(self) -> LeftOpen:
        """As `OpenRecord.left`."""
        if self._left is None:
            self._left = self._now().left()
        return self._left

    def closed(self, what: Open) -> None:
        """As `OpenRecord.closed`. Another pod may have told meanwhile that it died of that."""
        super().closed(what)
        if what in self.left().open:
            self._change(lambda kept: kept.over(what))

    def told(self, workflow: str) -> None:
        """As `OpenRecord.told`."""
        if any(each.workflow == workflow for each in self.left().open):
            self._change(lambda kept: kept.open.pop(workflow, None))

    def lift(self, workflow: str) -> None:
        """As `OpenRecord.lift`."""
        if workflow in self.left().taking_up:
            self._change(lambda kept: kept.taking_up.pop(workflow, None))
        if (taking := Open(workflow)) in self.left().open:
            self._change(lambda kept: kept.over(taking))

    def calm(self) -> None:
        """As `OpenRecord.calm`."""
        if self.left().deaths or self.left().open:
            self._change(Kept.calm)

    def _change(self, change: Callable[[Kept], object]) -> None:
        if not self._ended:
            self._changes.append(change)
            self._left = None

    # What the Lease asks

    def has_news(self) -> bool:
        """Whether processes died here of which the Lease does not know."""
        return bool(self._dead)

    def saw(self, document: Mapping[str, Any]) -> None:
        """The Lease as it is now."""
        self._stored, self._left = _read(document), None
        for path in [path for path in self._dead if path.name in self._stored.counted]:
            self._bury(path)

    def put_into(self, document: Document) -> Callable[[], None]:
        """Have it say what is known now; what is to be called once that is stored."""
        noted, paths, changes = self._now(), list(self._dead), len(self._changes)
        metadata = document["metadata"] = {**(document.get("metadata") or {})}
        annotations = {**(metadata.get("annotations") or {})}
        annotations.pop(ANNOTATION, None)
        if noted.deaths or noted.open or noted.taking_up:
            annotations[ANNOTATION] = _encode(noted).decode()
        if annotations or "annotations" in metadata:
            metadata["annotations"] = annotations

        def stored() -> None:
            self._stored = noted
            del self._changes[:changes]
            for path in paths:
                self._bury(path)

        return stored

    def _now(self) -> Noted:
        """What the Lease said, with what was found in the folder, and what this life has shown."""
        noted = _decoder.decode(_encode(self._stored))
        noted.counted_by(self._version)
        for path, dead in self._dead.items():
            if path.name not in noted.counted:
                # One leads at a time: whoever died after another died in a row with it.
                add_death(noted, attrs.evolve(dead, after=noted.deaths))
                noted.counted.append(path.name)
        for change in self._changes:
            change(noted)
        return _bounded(noted)

    def _bury(self, path: Path) -> None:
        del self._dead[path]
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._fails(error)


def _read(document: Mapping[str, Any]) -> Noted:
    """What people may have written there as well: junk is begun anew."""
    said = ((document.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION, "{}")
    if len(said) > MOST_READ:
        log.warning("the annotation %s of the Lease is too long, and is begun anew", ANNOTATION)
        return Noted()
    try:
        return _decoder.decode(said)
    except msgspec.DecodeError as error:
        log.warning(
            "the annotation %s of the Lease can't be read, and is begun anew: %s", ANNOTATION, error
        )
        return Noted()


def _bounded(noted: Noted) -> Noted:
    """As much of it as may be written: first what was open alone, which says most. Of what is not
    in it nothing is known, and its interruptions count."""
    noted.counted = noted.counted[-MOST_COUNTED:]
    left = MOST_BYTES
    counts = sorted(noted.taking_up.items(), key=lambda each: -each[1])
    noted.taking_up = {}
    for uid, count in counts:
        left -= len(uid) + 32
        if left >= 0:
            noted.taking_up[uid] = count
    entries = [(not alone, u, s) for u, steps in noted.open.items() for s, alone in steps.items()]
    noted.open = {}
    for beside, uid, step in sorted(entries):
        left -= len(uid) + len(step.encode()) + 32
        if left >= 0:
            noted.open.setdefault(uid, {})[step] = not beside
    return noted
