"""Images as files: `docker load`, `podman load` and `ctr images import` take them in.

The form is that of `docker save`: a tar of one tar for each layer, of the image's configuration,
and of `manifest.json`, which names both. The same roots give the same bytes.
"""

import hashlib
import io
import json
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What Linux calls a machine, and what images call it."""


@attrs.frozen
class Image:
    """A name with its tag, the root folder of each layer, and how it is run."""

    name: str
    layers: Sequence[Path]
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = attrs.field(factory=dict)
    user: str = "0:0"
    folder: str = "/"
    labels: Mapping[str, str] = attrs.field(factory=dict)


def write(image: Image, target: Path) -> Path:
    """Write an image to `target`, which appears only once it is whole; returns `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.new")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".layers-") as name:
        packed = [Path(name) / f"{number}.tar" for number in range(len(image.layers))]
        for root, file in zip(image.layers, packed, strict=True):
            pack(root, file)
        digests = [digest(file) for file in packed]
        config = json.dumps(configuration(image, digests), sort_keys=True).encode()
        named = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = [
            {
                "Config": named,
                "RepoTags": [image.name],
                "Layers": [f"{each}/layer.tar" for each in digests],
            }
        ]
        with tarfile.open(made, "w") as archive:
            for each, file in dict(zip(digests, packed, strict=True)).items():
                entry = plain(tarfile.TarInfo(f"{each}/layer.tar"))
                entry.size = file.stat().st_size
                with file.open("rb") as content:
                    archive.addfile(entry, content)
            add(archive, named, config)
            add(archive, "manifest.json", json.dumps(manifest).encode())
    return made.replace(target)


def configuration(image: Image, digests: Sequence[str]) -> dict[str, object]:
    """The image's configuration, as the OCI image specification has it."""
    machine = platform.machine()
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "Env": [f"{name}={value}" for name, value in sorted(image.environment.items())],
            "User": image.user,
            "WorkingDir": image.folder,
            "Labels": dict(image.labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each}" for each in digests]},
        "history": [{"created_by": "wf"} for _ in digests],
    }


def pack(root: Path, target: Path) -> None:
    """The tree below `root` as a layer: owned by root, without times, in the order of names."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for path in sorted(root.rglob("*")):
            layer.add(path, str(path.relative_to(root)), recursive=False, filter=plain)


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry without what differs from run to run."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = plain(tarfile.TarInfo(name))
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def digest(file: Path) -> str:
    """The file's SHA-256, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy a file into a root, with its mode and whatever a link points to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
