"""A root folder with a Python that runs our distributions, and nothing else: no shell.

All of it is taken from this machine: the interpreter that runs this module, the libraries that it
is linked with, the packages that stand in its environment with the versions that are locked, and
wheels of our own.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from image import archive
from image.additions import PREFIX

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = PREFIX / "lib" / VERSION / "site-packages"
LIBRARIES = Path("usr/lib")
"""Where libraries go that this machine has elsewhere than in the system's folders."""
SYSTEM_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
LEFT_OUT = re.compile(
    r"__pycache__|site-packages|test|tests|idlelib|tkinter|turtledemo|lib2to3|ensurepip"
    r"|_tkinter.*|config-.*|.*\.(?:a|pyc)"
)
"""Names of the standard library that no controller needs."""
PIP = "pip"
RUN_BY_PYTHON = "from {module} import {function}\nraise SystemExit({function}())\n"


class IncompleteError(Exception):
    """Something that belongs into the image is not on this machine."""


def base(root: Path) -> None:
    """The interpreter and its standard library, a user without rights, and a /tmp."""
    archive.copy(Path(sys.base_prefix) / "bin" / VERSION, root / PREFIX / "bin" / VERSION)
    (root / PREFIX / "bin/python3").symlink_to(VERSION)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, root / PREFIX / "lib" / VERSION, ignore=left_out)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/:\nwf:x:65532:65532::/tmp:\n")
    (root / "etc/group").write_text("root:x:0:\nwf:x:65532:\n")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    with_libraries(root)
    compile_all(root)


def dependencies(root: Path, ours: Iterable[str], below: Path) -> None:
    """What our distributions need, as it stands in this environment, without themselves; and pip,
    for whoever adds a plugin.

    `below` is the root of the layer that this one lies on.
    """
    mine = {normal(name) for name in ours}
    for name, found in sorted(closure({*mine, PIP}).items()):
        if name not in mine:
            take_installed(found, root / PACKAGES)
    with_libraries(root, below)
    compile_all(root)


def wheels(root: Path, files: Iterable[Path]) -> None:
    """Pure wheels, with the commands that they bring."""
    target = root / PACKAGES
    for file in files:
        with zipfile.ZipFile(file) as wheel:
            wheel.extractall(target)
    for found in metadata.distributions(path=[str(target)]):
        for entry in found.entry_points.select(group="console_scripts"):
            script = root / PREFIX / "bin" / entry.name
            script.parent.mkdir(parents=True, exist_ok=True)
            text = RUN_BY_PYTHON.format(module=entry.module, function=entry.attr)
            script.write_text(f"#!/{PREFIX}/bin/{VERSION}\n{text}")
            script.chmod(0o755)
    compile_all(root)


def closure(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    """The distributions of these names, and all that they need here; IncompleteError where one of
    them is not installed."""
    found: dict[str, metadata.Distribution] = {}
    left = [Requirement(name) for name in names]
    while left:
        wanted = left.pop()
        name = normal(wanted.name)
        if name in found and not wanted.extras:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise IncompleteError(f"{name} is not installed in this environment") from error
        asked = ("", *wanted.extras)
        left += [
            each
            for each in map(Requirement, found[name].requires or ())
            if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in asked)
        ]
    return found


def normal(name: str) -> str:
    """A distribution's name in the one form that compares equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def left_out(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if LEFT_OUT.fullmatch(name)}


def take_installed(found: metadata.Distribution, target: Path) -> None:
    """The files of an installed distribution, save its commands and what was compiled."""
    for file in found.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            archive.copy(Path(str(found.locate_file(file))), target / file)


def with_libraries(root: Path, below: Path | None = None) -> None:
    """Add the shared libraries that the root's programs are linked with."""
    for binary in [*root.rglob("*.so*"), *(root / PREFIX / "bin").glob(VERSION)]:
        for library in linked(binary):
            if library.is_relative_to(root):
                continue  # A wheel brought it.
            system = str(library).startswith(SYSTEM_FOLDERS)
            place = library.relative_to("/") if system else LIBRARIES / library.name
            if not any((each / place).exists() for each in (root, below) if each):
                archive.copy(library, root / place)


def linked(binary: Path) -> list[Path]:
    """All the libraries that a program or library needs, as the loader of this machine finds
    them; IncompleteError where it does not find one."""
    done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
    if "not found" in done.stdout:
        raise IncompleteError(f"{binary} needs what is not here: {done.stdout.strip()}")
    return [Path(each) for each in re.findall(r"(/\S+) \(0x", done.stdout)]


def compile_all(root: Path) -> None:
    """Compile the modules: a root that is read-only can't keep what Python would compile."""
    # Unchecked: times are not kept, so that the same sources give the same layer.
    how = ["--invalidation-mode", "unchecked-hash", "-q", "-j", "0", "-s", str(root), "-p", "/"]
    subprocess.run(
        [sys.executable, "-m", "compileall", *how, str(root / PREFIX / "lib")], check=True
    )
