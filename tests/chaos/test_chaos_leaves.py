"""B3: `wf run --chaos --leaves PATH` compares PATH before and after each run that was undone."""

from pathlib import Path

import pytest
from tests.chaos.chaos_site import ChaosSite, command

from wf_core.chaos import leaves
from wf_core.chaos.leaves import left, seen
from wf_core.errors import AuthorError


@pytest.fixture
def site(tmp_path: Path) -> ChaosSite:
    return ChaosSite(tmp_path)


def test_b3_what_an_undo_leaves_is_named(site: ChaosSite) -> None:
    site.write(command("a", undo="rm -f files/another"))
    done = site.wf("--chaos", "1", "--leaves", "files")
    assert done.code == 2
    assert "files is as it was before the run: the workflow was undone" in done.err
    assert "left: files/a" in done.err


@pytest.mark.slow
def test_b3_leaves_alone_is_enough_and_holds_for_a_sound_saga(site: ChaosSite) -> None:
    site.write(command("a"), command("b", "a"))
    (site.folder / "files/old").write_text("a stranger's")
    done = site.wf("--chaos", "2", "--leaves", "files", "-o", "json")
    assert (done.code, done.report["held"]) == (0, 2), done.err


def test_b3_what_is_left_gone_and_changed_is_told(tmp_path: Path) -> None:
    place = tmp_path / "stock"
    assert seen(place) == {}
    place.mkdir()
    for name in ("gone", "changed", "same", "mode"):
        (place / name).write_text(name)
    before = seen(place)
    assert left(before, seen(place)) is None
    (place / "gone").unlink()
    (place / "changed").write_text("CHANGED")
    (place / "mode").chmod(0o700)
    (place / "new").symlink_to("nowhere")
    found = left(before, seen(place))
    assert found is not None
    assert sorted(found.split(", ")) == [
        "changed: stock/changed",
        "changed: stock/mode",
        "gone: stock/gone",
        "left: stock/new",
    ]


def test_b3_too_much_to_compare_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaves, "MOST_ENTRIES", 3)
    for n in range(3):
        (tmp_path / str(n)).touch()
    with pytest.raises(AuthorError, match="too much to compare"):
        seen(tmp_path)
