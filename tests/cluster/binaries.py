"""Where the programs of a cluster are found, or else built.

In this order: the folder in KUBEBUILDER_ASSETS; the cache; a build into the cache, where Go is
installed.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.build import BuildFailedError, build
from tests.cluster.sources import source_of

CONTROL_PLANE = ("etcd", "kube-apiserver", "kubectl")
HELM = ("helm",)
NODE = (
    *("kubelet", "kube-controller-manager", "kube-scheduler"),
    *("containerd", "containerd-shim-runc-v2", "ctr"),
    *("bridge", "host-local", "loopback"),
)


class UnavailableError(Exception):
    """A program is not there and can't be built here. The message says what to do."""


class AssetMissingError(Exception):
    """KUBEBUILDER_ASSETS names a folder that lacks a program."""


def find(programs: tuple[str, ...], say: Callable[[str], None]) -> Mapping[str, Path]:
    """The path of each program, built first where need be; `say` hears of what takes long.

    Raises UnavailableError, and AssetMissingError where KUBEBUILDER_ASSETS is wrong.
    """
    there = {program: place(program) for program in programs}
    missing = [program for program, path in there.items() if not path.is_file()]
    lacking = [program for program in missing if there[program].parent == assets()]
    if lacking:
        raise AssetMissingError(
            f"KUBEBUILDER_ASSETS={assets()} has no {', '.join(lacking)}; name a folder that has"
            f" {', '.join(CONTROL_PLANE)}, or unset it"
        )
    if missing and shutil.which("go") is None:
        raise UnavailableError(
            f"no {', '.join(missing)} in {cache()}, and no `go` on the path to build them with;"
            " install Go, or set KUBEBUILDER_ASSETS to a folder that has them,"
            " or WF_TEST_KUBECONFIG to the kubeconfig of a cluster for tests"
        )
    if len(missing) > 1:
        minutes = sum(source_of(program).minutes for program in missing)
        say(
            f"{len(missing)} programs must be built, once: {', '.join(missing)}. This takes up to"
            f" {minutes:g} min on two quiet cores, and two or three times that on busy ones. You"
            " can interrupt it: what is built stays built, and the next run picks up from there"
        )
    for program in missing:
        build_once(program, there[program], say)
    return there


def all_there(programs: tuple[str, ...]) -> bool:
    """Whether nothing has to be built."""
    return all(place(program).is_file() for program in programs)


def assets() -> Path | None:
    """The folder that KUBEBUILDER_ASSETS names."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(named) if named else None


def cache() -> Path:
    """The project's folder in the user's cache directory."""
    outer = os.environ.get("XDG_CACHE_HOME")
    return (Path(outer) if outer else Path.home() / ".cache") / "wf"


def place(program: str) -> Path:
    """Where a program is, or will be once it is built. What KUBEBUILDER_ASSETS usually has is
    taken from there; of the rest, what happens to be there."""
    named = assets()
    if named is not None and (program in CONTROL_PLANE or (named / program).is_file()):
        return named / program
    return cache() / source_of(program).folder / program


def build_once(program: str, target: Path, say: Callable[[str], None]) -> None:
    """Build a program, unless another process does or did: then wait for it."""
    source = source_of(program)
    # One lock for all: they share most of their packages, and each takes the whole machine.
    with only_one(cache() / ".build.lock", lambda: say(f"waiting for another build: {program}")):
        if target.is_file():
            return
        say(
            f"building {program} {source.version}, once, into {target.parent};"
            f" takes up to {source.minutes:g} min"
        )
        began = time.monotonic()
        try:
            build(source, program, target)
        except BuildFailedError as error:
            raise UnavailableError(f"{program} can't be built: {error}") from error
        say(f"built {program} in {time.monotonic() - began:.0f} s")


@contextmanager
def only_one(lock: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that one process on the machine can have; its end gives it back, however."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
