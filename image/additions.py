"""What the image has beside packages: its own start of Python, the constraints for whoever installs
a plugin, and a place for plugins. Plain Python, as the Dockerfile runs it.

    python -m image.additions ROOT [PACKAGES ...]
"""

import shutil
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

PREFIX = Path("usr/local")
CONSTRAINTS = PREFIX / "share/wf/constraints.txt"
PLUGINS = Path("opt/wf-plugins")
ENVIRONMENT = {
    # Nothing else can be written to, with a root that is read-only.
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    # Whoever builds FROM it and installs a plugin can't break the engine by that.
    "PIP_CONSTRAINT": f"/{CONSTRAINTS}",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "WF_PLUGINS": f"/{PLUGINS}",
}
"""Of the image; a test holds the Dockerfile to it."""


def put(root: Path, packages: Path, installed: Iterable[Path]) -> None:
    """Write them below `root`. `packages` is where the image's Python looks for packages, as seen
    from `root`; `installed` are the folders in which those of the image are now."""
    start = root / packages / "sitecustomize.py"
    start.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("sitecustomize.py"), start)
    constraints = root / CONSTRAINTS
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text("".join(f"{each}\n" for each in pins(installed)))
    (root / PLUGINS).mkdir(parents=True, exist_ok=True)


def pins(installed: Iterable[Path]) -> list[str]:
    """Each distribution in these folders, with its version; pip is free to be another one."""
    folders = [str(each) for each in installed]
    found = metadata.distributions(path=folders)
    named = {f"{each.name}=={each.version}" for each in found if each.name != "pip"}
    return sorted(named, key=str.lower)


def main() -> None:
    root, *installed = (Path(each) for each in sys.argv[1:])
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    put(root, PREFIX / "lib" / version / "site-packages", installed)


if __name__ == "__main__":
    main()
