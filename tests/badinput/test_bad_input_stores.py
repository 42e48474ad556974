"""A store that can't be used: the exact sentence on stderr, exit code 1, and it is left alone."""

import os
import shutil
import sqlite3
from pathlib import Path

import attrs
import pytest
from tests.badinput.wf_process import Desk, ended, until

from wf_core.adapters.sqlite.schema import MIGRATIONS

TRUE = ("true", "true")


def test_a_file_that_is_not_sqlite(desk: Desk) -> None:
    desk.store.write_text("a letter to somebody\n")
    desk.write({"a": TRUE})
    for arguments in (["run", "order.yaml"], ["list"]):
        said = desk.wf(*arguments)
        assert (said.code, said.out) == (1, "")
        assert said.err == (
            f"wf: error: {desk.store} is not a SQLite file, and was left alone; choose another "
            "place with `--store sqlite:PATH`\n"
        )
    assert desk.store.read_text() == "a letter to somebody\n"


def test_a_database_of_another_program(desk: Desk) -> None:
    with sqlite3.connect(desk.store) as database:
        database.execute("CREATE TABLE letters (text)")
    database.close()
    before = desk.store.read_bytes()
    said = desk.wf("list")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"wf: error: {desk.store} is a database of another program, and was left alone; choose "
        "another place with `--store sqlite:PATH`\n"
    )
    assert desk.store.read_bytes() == before


def test_a_store_of_a_newer_schema(desk: Desk) -> None:
    desk.write({"a": TRUE})
    assert desk.wf("run", "order.yaml").code == 0
    database = sqlite3.connect(desk.store)
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = desk.store.read_bytes()
    said = desk.wf("resume", "order")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"wf: error: {desk.store} has schema version 99, and this wf knows versions up to "
        f"{len(MIGRATIONS)}: upgrade wf; the file was left alone\n"
    )
    assert desk.store.read_bytes() == before


def test_c10_a_workflow_that_a_newer_engine_saved_is_left_alone(desk: Desk) -> None:
    desk.write({"a": TRUE})
    assert desk.wf("run", "order.yaml").code == 0
    database = sqlite3.connect(desk.store)
    with database:
        database.execute("UPDATE workflows SET schema_version = 99")
    database.close()
    said = desk.wf("resume", "order")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("wf: error: workflow 'order'")
    assert "99" in said.err
    assert "upgrade wf" in said.err


@pytest.fixture
def careful(desk: Desk) -> Desk:
    """A desk whose `wf` may write only where it is allowed to: root is without its privilege."""
    if os.geteuid() != 0:
        return desk
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no `setpriv` to take that away")
    return attrs.evolve(desk, before=("setpriv", "--bounding-set=-dac_override,-dac_read_search"))


def test_a_read_only_folder(careful: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    folder.chmod(0o555)
    desk = attrs.evolve(careful, store=folder / "wf.db")
    desk.write({"a": ("touch done", "rm -f done")})
    said = desk.wf("run", "order.yaml")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"wf: error: {desk.store}: Permission denied; make {folder} a folder that this user may "
        "write to, or choose another place with `--store sqlite:PATH`\n"
    )
    assert not (tmp_path / "done").exists(), "a step ran, though nothing could be saved"


def test_a_store_that_may_not_be_written(careful: Desk, tmp_path: Path) -> None:
    careful.write({"a": TRUE})
    assert careful.wf("run", "order.yaml").code == 0
    careful.write({"b": ("touch done", "rm -f done")}, "second")
    careful.store.chmod(0o400)
    said = careful.wf("run", "second.yaml")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"wf: error: {careful.store} may not be written: make the file and its folder {tmp_path} "
        "writable for this user, or choose another place with `--store sqlite:PATH`\n"
    )
    assert not (tmp_path / "done").exists(), "a step ran, though nothing could be saved"


def test_a_second_process_that_wants_the_same_workflow(desk: Desk, tmp_path: Path) -> None:
    desk.write({"a": ("touch began; until [ -e go ]; do sleep 0.01; done", "true"), "b": TRUE})
    first = desk.start("run", "order.yaml")
    until((tmp_path / "began").exists, "the first process runs its first step")

    resumed = desk.wf("resume", "order")
    assert (resumed.code, resumed.out) == (1, "")
    assert resumed.err == (
        f"wf: error: workflow 'order' is being run by process {first.pid} on this machine; "
        "stop it first, or watch it with `wf watch order`\n"
    )

    again = desk.wf("run", "order.yaml")
    assert (again.code, again.out) == (2, "")
    assert again.err == (
        "wf: error: workflow 'order' exists and is Running: `wf resume order` goes on with it; "
        "`--name NEW` runs this one under another name\n"
    )

    everything = desk.wf("resume")
    assert everything.code == 0
    assert everything.err == (
        f"wf: left alone: workflow 'order' is being run by process {first.pid} on this machine; "
        "stop it first, or watch it with `wf watch order`\n"
    )

    (tmp_path / "go").touch()
    assert ended(first).code == 0


def test_two_processes_that_begin_at_once_run_each_step_once(desk: Desk, tmp_path: Path) -> None:
    desk.write({name: (f"echo {name} >> calls", "true") for name in ("a", "b", "c")})
    both = [desk.start("run", "order.yaml") for _ in range(2)]
    codes = sorted(ended(process).code for process in both)
    assert codes in ([0, 1], [0, 2])
    assert (tmp_path / "calls").read_text().split() == ["a", "b", "c"]
