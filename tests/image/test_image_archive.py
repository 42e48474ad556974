"""Images as files: complete, and the same bytes from the same roots."""

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

from image import archive
from image.archive import Image


def root(folder: Path, name: str) -> Path:
    """A root with a program, a link to it, and a folder that anyone may write to."""
    made = folder / name
    (made / "bin").mkdir(parents=True)
    (made / "bin/tool").write_text(name)
    (made / "bin/tool").chmod(0o755)
    (made / "bin/other").symlink_to("tool")
    (made / "tmp").mkdir()
    (made / "tmp").chmod(0o1777)
    return made


def read(file: Path, name: str) -> bytes:
    with tarfile.open(file) as opened:
        content = opened.extractfile(name)
        assert content is not None
        return content.read()


def parts(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest of an archive with one image, and the configuration that it names."""
    (manifest,) = json.loads(read(file, "manifest.json"))
    return manifest, json.loads(read(file, manifest["Config"]))


def test_every_part_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    image = Image("wf.local/x:1", [root(tmp_path, "one"), root(tmp_path, "two")])
    file = archive.write(image, tmp_path / "image.tar")
    manifest, config = parts(file)
    assert manifest["RepoTags"] == ["wf.local/x:1"]
    assert (
        manifest["Config"] == f"{hashlib.sha256(read(file, manifest['Config'])).hexdigest()}.json"
    )
    layers = [hashlib.sha256(read(file, name)).hexdigest() for name in manifest["Layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{each}" for each in layers]
    assert len(config["history"]) == 2


def test_a_layer_keeps_modes_and_links_and_belongs_to_root(tmp_path: Path) -> None:
    made = root(tmp_path, "one")
    os.chown(made / "bin/tool", os.getuid(), os.getgid())
    archive.pack(made, tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as layer:
        entries = {entry.name: entry for entry in layer}
    assert list(entries) == ["bin", "bin/other", "bin/tool", "tmp"]
    assert entries["bin/other"].linkname == "tool"
    assert (entries["bin/tool"].mode, entries["tmp"].mode) == (0o755, 0o1777)
    assert {(entry.uid, entry.gid, entry.uname) for entry in entries.values()} == {(0, 0, "")}


def test_the_same_roots_give_the_same_bytes(tmp_path: Path) -> None:
    written: list[bytes] = []
    for name in ("first", "second"):
        made = root(tmp_path / name, "same")
        os.utime(made / "bin/tool", (len(written), len(written)))
        image = Image("wf.local/x:1", [made], environment={"B": "2", "A": "1"})
        written.append(archive.write(image, tmp_path / f"{name}.tar").read_bytes())
    assert written[0] == written[1]


def test_how_it_is_run_is_told(tmp_path: Path) -> None:
    image = Image(
        "wf.local/x:1",
        [root(tmp_path, "one")],
        entrypoint=["/bin/tool"],
        command=["go"],
        environment={"PATH": "/bin"},
        user="65532:65532",
    )
    _, config = parts(archive.write(image, tmp_path / "image.tar"))
    assert config["os"] == "linux"
    assert config["config"]["Entrypoint"] == ["/bin/tool"]
    assert config["config"]["Cmd"] == ["go"]
    assert config["config"]["Env"] == ["PATH=/bin"]
    assert config["config"]["User"] == "65532:65532"


def test_nothing_but_the_archive_is_left(tmp_path: Path) -> None:
    archive.write(Image("x:1", [root(tmp_path, "one")]), tmp_path / "out/image.tar")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["image.tar"]
