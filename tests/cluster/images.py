"""The images of tests: busybox for steps, pause for pods. They are in no registry."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from image import archive
from image.archive import Image
from tests.cluster.node_config import PAUSE_IMAGE

OWN_BUSYBOX = "wf.local/busybox:1"
BUSYBOX_IMAGE = os.environ.get("WF_TEST_BUSYBOX") or OWN_BUSYBOX
"""What pods of the tests run. A cluster that is there already pulls it from where it can."""


def write_all(folder: Path) -> list[Path]:
    """Write both as archives into `folder`, from the machine's static busybox."""
    program = Path(shutil.which("busybox") or "busybox")
    with tempfile.TemporaryDirectory(prefix="wf-root-") as name:
        return [pause(program, Path(name), folder), busybox(program, Path(name), folder)]


def busybox(program: Path, roots: Path, folder: Path) -> Path:
    """A small Unix: busybox under the name of everything that it can do."""
    root = roots / "busybox"
    archive.copy(program, root / "bin/busybox")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    image = Image(OWN_BUSYBOX, [root], command=["sh"], environment={"PATH": "/bin"})
    return archive.write(image, folder / "busybox.tar")


def pause(program: Path, roots: Path, folder: Path) -> Path:
    """What holds the namespaces of a pod: it sleeps."""
    root = roots / "pause"
    archive.copy(program, root / "bin/sleep")
    image = Image(PAUSE_IMAGE, [root], entrypoint=["/bin/sleep", "2147483647"])
    return archive.write(image, folder / "pause.tar")
