"""Workflows of ten commands that write and remove files, `wf` processes that are killed at a
moment, and what must hold of the calls that were made."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
from tests.patience import PATIENCE

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Transition

WF = str(Path(sys.executable).with_name("wf"))
STEPS = 10


@attrs.frozen
class Shape:
    """A workflow: for each step those it depends on (earlier ones), and which step fails."""

    needs: tuple[tuple[int, ...], ...]
    fails: int | None
    pause: float = 0.01

    @classmethod
    def made(cls, chance: random.Random, *, fails: bool) -> "Shape":
        """A chain, or a graph in which each step depends on one or two of the three before it."""
        chain = chance.random() < 0.5
        needs = [
            (i - 1,) if chain else tuple(sorted(set(chance.choices(range(max(0, i - 3), i), k=2))))
            for i in range(1, STEPS)
        ]
        return cls(((), *needs), chance.randrange(STEPS) if fails else None)


@attrs.frozen
class CallLine:
    """One line of the log of calls: a hook of a step began or ended in process `pid`."""

    hook: str
    step: str
    pid: int
    what: str


@attrs.frozen
class Site:
    """A folder with one store, one workflow, its files and its log of calls."""

    folder: Path
    shape: Shape

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def prepare(self) -> None:
        """Make the folder and write the document."""
        self.files.mkdir(parents=True)
        (self.folder / "order.yaml").write_text(json.dumps(self._document()))

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`wf ARGUMENTS` on the store of this folder."""
        store = f"sqlite:{self.folder / 'wf.db'}"
        return subprocess.Popen(
            [WF, "--store", store, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> "subprocess.Popen[str]":
        return self.start("run", "order.yaml")

    def resume(self) -> "subprocess.Popen[str]":
        return self.start("resume", "order")

    def calls(self) -> list[CallLine]:
        """Every line of the log so far."""
        if not self.log.exists():
            return []
        return [
            CallLine(hook, step, int(pid), what)
            for hook, step, pid, what in map(str.split, self.log.read_text().splitlines())
        ]

    def left(self) -> set[str]:
        """The files that are there."""
        return {path.name for path in self.files.iterdir()}

    def saved(self) -> tuple[Transition, ...] | None:
        """Every transition that is on disk; None where the workflow was never stored."""
        path = self.folder / "wf.db"
        if not path.exists():
            return None

        async def read() -> tuple[Transition, ...] | None:
            store = SqliteStore.open(path)
            try:
                return await store.history(Key("default", "order"))
            except WorkflowNotFound:
                return None
            finally:
                await store.close()

        return asyncio.run(read())

    def _document(self) -> dict[str, object]:
        return {
            "apiVersion": "workflow.example.com/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "order"},
            "spec": {"steps": [self._step(i) for i in range(STEPS)]},
        }

    def _step(self, i: int) -> dict[str, object]:
        name = step_name(i)
        end = "exit 1" if i == self.shape.fails else "exit 0"
        return {
            "name": name,
            "dependOns": [{"name": step_name(need)} for need in self.shape.needs[i]],
            "stepTemplate": {
                "type": "command",
                "parameters": {
                    "run": self._script("run", name, f"> files/{name}") + end,
                    "rollback": self._script("undo", name, f"rm -f files/{name}"),
                },
                "retryPolicy": {"runRetryLimit": 0},
            },
        }

    def _script(self, hook: str, name: str, work: str) -> str:
        note = f'printf "%s\\n" "{hook} {name} $$'
        return f'{note} begin" >> calls; {work}; sleep {self.shape.pause}; {note} end" >> calls; '


def step_name(i: int) -> str:
    return f"s{i}"


def kill(process: "subprocess.Popen[str]") -> bool:
    """`kill -9`; whether it came before the process ended by itself."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Let it end by itself; its exit code and what it said."""
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def await_line(site: Site, hook: str, process: "subprocess.Popen[str]") -> None:
    """Return once the log of calls has a line of `hook`, or the process has ended."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not any(line.hook == hook for line in site.calls()):
        assert time.monotonic() < until, f"no call of {hook} was made"
        time.sleep(0.001)


@attrs.define
class Watcher:
    """Collects what was saved at each kill, and judges the log of calls at the end."""

    site: Site
    _succeeded: dict[str, int] = attrs.field(factory=dict)
    _undone: dict[str, int] = attrs.field(factory=dict)

    def look(self) -> bool:
        """Note the calls of what is saved as done, after a kill; False where nothing was stored."""
        saved = self.site.saved()
        if saved is None:
            assert not self.site.calls(), "a call was made of a workflow that was not stored"
            return False
        for move in saved:
            if move.step is None:
                continue
            if move.after is Phase.SUCCESS:
                self._succeeded.setdefault(move.step, self._count("run", move.step))
            elif move.after is Phase.ROLL_BACKED:
                self._undone.setdefault(move.step, self._count("undo", move.step))
        return True

    def judge(self, code: int, said: str) -> None:
        """All or none, nothing that was saved as done is done again, undo in reverse order."""
        everything = {step_name(i) for i in range(STEPS)}
        fails = self.site.shape.fails is not None
        assert code == (3 if fails else 0), said
        assert self.site.left() == (set() if fails else everything), said
        for step, before in self._succeeded.items():
            assert self._count("run", step) == before, f"{step} ran again after its saved success"
        for step, before in self._undone.items():
            assert self._count("undo", step) == before, f"{step} was undone twice"
        lines = self.site.calls()
        self._judge_order(lines)
        self._judge_overlap(lines)

    def _count(self, hook: str, step: str) -> int:
        return sum(
            line.hook == hook and line.step == step and line.what == "begin"
            for line in self.site.calls()
        )

    def _judge_order(self, lines: list[CallLine]) -> None:
        """A step runs after what it depends on ended, and is undone before that is."""
        first_run = self._where(lines, "run", "begin", last=False)
        last_run = self._where(lines, "run", "begin", last=True)
        run_ended = self._where(lines, "run", "end", last=False)
        undo_began = self._where(lines, "undo", "begin", last=False)
        undo_ended = self._where(lines, "undo", "end", last=True)
        for step in undo_began:
            assert last_run.get(step, -1) < undo_began[step], f"{step} ran after its undo began"
        if self.site.shape.fails is not None:
            assert set(last_run) <= set(undo_ended), "a step that ran was not undone"
        for i, needs in enumerate(self.site.shape.needs):
            after = step_name(i)
            for before in map(step_name, needs):
                if after in first_run:
                    assert run_ended[before] < first_run[after], f"{after} ran before {before}"
                if after in undo_ended and before in undo_began:
                    assert undo_ended[after] < undo_began[before], (
                        f"{before} was undone before {after}"
                    )

    def _judge_overlap(self, lines: list[CallLine]) -> None:
        """Once a call of a step began, no earlier call of the step does anything more."""
        latest: dict[str, int] = {}
        for line in lines:
            if line.what == "begin":
                latest[line.step] = line.pid
            assert latest[line.step] == line.pid, f"two calls of {line.step} overlapped"

    @staticmethod
    def _where(lines: list[CallLine], hook: str, what: str, *, last: bool) -> dict[str, int]:
        found: dict[str, int] = {}
        for at, line in enumerate(lines):
            if line.hook == hook and line.what == what and (last or line.step not in found):
                found[line.step] = at
        return found


def moments(chance: random.Random, count: int) -> Iterator[float]:
    """Moments as parts of a whole, in [0, 1): one by chance in each of `count` equal stretches."""
    for i in range(count):
        yield (i + chance.random()) / count


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
