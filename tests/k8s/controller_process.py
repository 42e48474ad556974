"""Controllers as processes of their own, and what they left."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import attrs
import yaml
from tests.cluster.connection import Cluster
from tests.crash.forked_wf import Nursery
from tests.k8s.crd_objects import Json, Sagas
from tests.patience import PATIENCE

T = TypeVar("T")


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """What `look` gives, once it gives something."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {patience:g} s: {what}")


class Process(Protocol):
    """What both have in common: a program that was started, and a process that was forked."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: int, /) -> None: ...


@attrs.define
class ControllerProcess:
    """One `wf controller`. Its log is in `log`."""

    process: Process
    log: Path

    def lines(self) -> list[Json]:
        """Its log, as far as it is JSON."""
        return [
            json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")
        ]

    def said(self, text: str) -> bool:
        """Whether a message of the log holds `text`."""
        return any(text in line["message"] for line in self.lines())

    def await_said(self, text: str) -> None:
        """Return once it has said that."""
        try:
            until(lambda: self.said(text) or None, f"the log says '{text}'")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log.read_text()}") from None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def page(self, path: str) -> str:
        """What its HTTP server answers."""
        found = (re.search(r"at port (\d+)", line["message"]) for line in self.lines())
        port = next(match[1] for match in found if match)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def unready(self) -> str:
        """Why it is not ready; nothing where it is."""
        try:
            self.page("/readyz")
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        return ""

    def await_unready(self, why: str) -> None:
        """Return once it gives that as the reason why it is not ready: others come before it."""
        until(lambda: why in self.unready() or None, f"it is not ready: {why}")

    def await_ready(self) -> None:
        """Return once it is ready."""
        until(lambda: not self.unready() or None, "it is ready")


RECEIVERS = {"callbacks": {"publicOnly": False}}
"""Receivers of the tests are on this machine."""


@attrs.define
class Controllers:
    """Starts controllers for the workflows of one namespace, where their lease is too.
    `environment` is what theirs has more than ours; with `kubeconfig` they reach the cluster
    otherwise, or as somebody else. `before` goes before their command; with `everywhere` they run
    the workflows of all namespaces, and theirs is that of the lease alone. Those of a `nursery`
    have imported all when they start, so those that something goes before, or that import from
    elsewhere, are not forked."""

    cluster: Cluster
    namespace: str
    folder: Path
    environment: Mapping[str, str] = attrs.field(factory=dict)
    started: list[ControllerProcess] = attrs.field(factory=list)
    kubeconfig: Path | None = None
    before: tuple[str, ...] = ()
    everywhere: bool = False
    nursery: Nursery | None = None

    def start(
        self,
        *options: str,
        lease_seconds: int = 15,
        also: tuple[str, ...] = (),
        **config: object,
    ) -> ControllerProcess:
        """One more, that leads or stands by; `also` are further namespaces."""
        number = len(self.started)
        kubeconfig = self.kubeconfig or self.cluster.kubeconfig
        file = self.folder / f"config-{number}.yaml"
        file.write_text(yaml.safe_dump({"namespace": self.namespace, **RECEIVERS, **config}))
        log = self.folder / f"controller-{number}.log"
        log.touch()
        named = () if self.everywhere else ("--namespace", ",".join((self.namespace, *also)))
        arguments = [
            *("controller", "--config", str(file), "--kubeconfig", str(kubeconfig)),
            *(*named, "--metrics-port", "0"),
            *("--lease-seconds", str(lease_seconds), *options),
        ]
        made = ControllerProcess(self._started(arguments, log), log)
        self.started.append(made)
        return made

    def _started(self, arguments: list[str], log: Path) -> Process:
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder), **self.environment}
        if self.nursery is not None and not self.before and "PYTHONPATH" not in self.environment:
            return self.nursery.start(arguments, log, environment)
        with log.open("wb") as out:
            return subprocess.Popen(
                [*self.before, sys.executable, "-m", "wf_core.cli.main", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env=environment,
            )

    def leader(self, *options: str, **more: Any) -> ControllerProcess:
        """One more, which leads when this returns."""
        made = self.start(*options, **more)
        made.await_said("leading as")
        return made

    def close(self) -> None:
        """End those that still run: in order where they can, so that their commands end too."""
        left = [each.process for each in self.started if each.process.poll() is None]
        for process in left:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in left:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()


@attrs.frozen
class Notes:
    """A file that steps of the kind `command` write to when they run and are undone."""

    file: Path

    def lines(self) -> list[str]:
        """What was written, oldest first."""
        return self.file.read_text().split() if self.file.exists() else []

    def step(self, name: str, *after: str, then: str = "", **more: Any) -> Json:
        """A step that notes `run-NAME` and goes on with the shell command `then`; its undo notes
        `undo-NAME`."""
        template = {
            "type": "command",
            "parameters": {
                "run": f"echo run-{name} >> {self.file}\n{then}",
                "rollback": f"echo undo-{name} >> {self.file}",
            },
            "retryPolicy": {"runRetryLimit": 0, "rollbackRetryLimit": 0},
            **more,
        }
        made: Json = {"name": name, "stepTemplate": template}
        return {**made, "dependOns": [{"name": each} for each in after]} if after else made


def await_phase(sagas: Sagas, phase: str, name: str = "order") -> Json:
    """The workflow, once it is in that phase."""

    def look() -> Json | None:
        found = sagas.get(name)
        return found if found["status"]["phase"] == phase else None

    try:
        return until(look, f"'{name}' is {phase}")
    except AssertionError as error:
        raise AssertionError(f"{error}; it is {json.dumps(sagas.get(name)['status'])}") from None
