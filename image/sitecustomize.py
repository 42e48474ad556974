"""Python imports this at its start, in the image. It adds the packages below WF_PLUGINS *behind*
those of the image: whatever a plugin brings along, the engine keeps what it was tested with."""

import os
import site
from pathlib import Path


def add_plugins(folder: Path) -> None:
    """Each folder in it is one that pip installed into, by `--target` or by `--prefix`."""
    if not folder.is_dir():
        return
    for each in sorted(folder.iterdir()):
        for packages in (*sorted(each.glob("lib/python*/site-packages")), each):
            site.addsitedir(str(packages))


if "WF_PLUGINS" in os.environ:
    add_plugins(Path(os.environ["WF_PLUGINS"]))
