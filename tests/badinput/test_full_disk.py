"""The disk is full while a workflow runs or is undone: the save fails and says what to do, nothing
is lost, and once there is room `wf resume` ends with all or nothing."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from tests.badinput.wf_process import WF, Desk
from tests.patience import PATIENCE

from wf_core.errors import GOES_ON

FILL = "[ -e {mark} ] || {{ touch {mark}; cat /dev/zero > small/ballast 2>&-; }}; "
"""Fills the disk at the first call, and only then."""


@pytest.fixture
def small(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose store is on a file system of 512 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield attrs.evolve(desk, store=place / "wf.db")
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def chain(fills: str = "", undo_fills: str = "", fails: str = "") -> dict[str, tuple[str, str]]:
    """Five steps that each write a file; one of them may fill the disk, or fail after its work."""
    return {
        name: (
            f"echo {name} >> calls; touch file-{name}; "
            + (FILL.format(mark="filled") if name == fills else "")
            + ("exit 1" if name == fails else "exit 0"),
            f"echo -{name} >> calls; rm -f file-{name}; "
            + (FILL.format(mark="filled") if name == undo_fills else "")
            + "exit 0",
        )
        for name in ("a", "b", "c", "d", "e")
    }


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("file-*")}


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


def sentence(desk: Desk) -> str:
    return (
        f"wf: error: no room left to write {desk.store}: free some space on {desk.store.parent}; "
        f"nothing that was saved is lost; {GOES_ON}\n"
    )


def test_full_while_it_runs_it_goes_on_once_there_is_room(small: Desk, tmp_path: Path) -> None:
    small.write(chain(fills="c"))
    said = small.wf("run", "order.yaml")
    assert said.code == 1
    assert said.err == sentence(small)
    assert files(tmp_path) == {"file-a", "file-b", "file-c"}

    (small.store.parent / "ballast").unlink()
    phases = small.phases()
    assert (phases["a"], phases["b"], phases["d"]) == ("Success", "Success", "Pending")
    resumed = small.wf("resume", "order")
    assert resumed.code == 0, resumed.err
    assert files(tmp_path) == {f"file-{name}" for name in "abcde"}
    assert calls(tmp_path) == ["a", "b", "c", "c", "d", "e"], "only c was not saved as done"


def test_full_while_it_is_undone_the_undo_goes_on(small: Desk, tmp_path: Path) -> None:
    small.write(chain(undo_fills="c", fails="e"))
    said = small.wf("run", "order.yaml")
    assert said.code == 1
    assert said.err == sentence(small)
    assert files(tmp_path) == {"file-a", "file-b"}

    (small.store.parent / "ballast").unlink()
    resumed = small.wf("resume", "order")
    assert resumed.code == 3, resumed.err
    assert files(tmp_path) == set()
    assert calls(tmp_path) == ["a", "b", "c", "d", "e", "-e", "-d", "-c", "-c", "-b", "-a"]


@pytest.mark.slow
def test_full_from_the_start_nothing_begins(small: Desk, tmp_path: Path) -> None:
    small.write(chain())
    fill = ["dd", "if=/dev/zero", "of=small/ballast", "bs=4k"]
    filled = subprocess.run(fill, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "No space left" in filled.stderr
    said = small.wf("run", "order.yaml")
    assert said.code == 1
    assert said.err == sentence(small)
    assert not files(tmp_path)

    (small.store.parent / "ballast").unlink()
    assert small.wf("run", "order.yaml").code == 0


@pytest.mark.slow
def test_a_store_at_the_largest_size_a_file_may_have(desk: Desk, tmp_path: Path) -> None:
    """As full a disk as one can have without being root: the files of `wf` stop growing."""
    desk.write(chain())
    limit = 100_000
    limited = subprocess.run(
        [WF, "run", "order.yaml", "--store", f"sqlite:{desk.store}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert limited.returncode == 1, limited.stderr
    assert f"free space; {GOES_ON}" in limited.stderr
    assert 0 < len(files(tmp_path)) < 5, "the limit should be reached in the middle of the run"
    done = [name for name, phase in desk.phases().items() if phase == "Success"]

    resumed = desk.wf("resume", "order")

    assert resumed.code == 0, resumed.err
    assert files(tmp_path) == {f"file-{name}" for name in "abcde"}
    assert all(calls(tmp_path).count(name) == 1 for name in done)
