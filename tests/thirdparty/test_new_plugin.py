"""From `wf plugin new` to a kind that runs: the template, in a fresh environment."""

import json
from pathlib import Path

import pytest
from tests.thirdparty.fresh_environment import Environment

pytestmark = pytest.mark.long


def test_a_new_plugin_is_installed_tested_run_and_undone(
    author: Environment, tmp_path: Path
) -> None:
    made = author.run("wf", "plugin", "new", "wf-note", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    plugin = tmp_path / "wf-note"
    installed = author.pip("--no-index", "--no-build-isolation", f"{plugin}[test]")
    assert installed.returncode == 0, installed.stderr
    assert author.run("wf", "plugins", "--check").returncode == 0
    assert "wf-note 0.1.0" in author.run("wf", "kinds").stdout

    tested = author.run("pytest", "-q", "-rA", cwd=plugin)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "TestNote::test_a_run_killed_anywhere_is_undone" in tested.stdout

    site = tmp_path / "site"
    site.mkdir()
    store = {"WF_STORE": f"sqlite:{site}/wf.db"}

    def wf(*words: str) -> str:
        ran = author.run("wf", *words, cwd=site, env=store)
        assert ran.returncode in (0, 3), ran.stderr
        return ran.stdout

    ran = json.loads(wf("run", str(plugin / "example.yaml"), "-o", "json"))
    assert ran["status"]["phase"] == "Success"
    (note,) = site.glob("*.note")
    assert note.read_text() == "hello"
    assert ran["status"]["steps"]["hello"]["kind"] == "wf-note 0.1.0"
    wf("rollback", "note-example")
    undone = json.loads(wf("resume", "note-example", "-o", "json"))
    assert undone["status"]["phase"] == "RollBacked"
    assert not list(site.glob("*.note"))
