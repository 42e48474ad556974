"""`make image-tar`: the controller's image as a file, from wheels and this machine's Python."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from image import additions, archive, python_root
from image.archive import Image

NAME = "wf.local/wf"


def main() -> int:
    """Write the image, print its name."""
    parser = argparse.ArgumentParser(prog="python -m image", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("image.tar"))
    parser.add_argument("--name", default=f"{NAME}:{metadata.version('wf-core')}")
    parser.add_argument("distributions", nargs="+", type=Path, help="folders of what is to be in")
    options = parser.parse_args()
    try:
        print(build(options.name, options.distributions, options.output))
    except python_root.IncompleteError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build(name: str, distributions: Sequence[Path], target: Path) -> str:
    """Write the image of these distributions to `target`; returns its name."""
    with tempfile.TemporaryDirectory(prefix="wf-image-") as made:
        folder = Path(made)
        files = build_wheels(distributions, folder / "wheels")
        layers = [folder / each for each in ("python", "dependencies", "wf")]
        python_root.base(layers[0])
        ours = [file.name.split("-")[0] for file in files]
        python_root.dependencies(layers[1], ours, below=layers[0])
        python_root.wheels(layers[2], files)
        installed = [each / python_root.PACKAGES for each in layers[1:]]
        additions.put(layers[2], python_root.PACKAGES, installed)
        archive.write(image_of(name, layers), target)
    return name


def build_wheels(distributions: Sequence[Path], target: Path) -> list[Path]:
    """A wheel of each, built by what this environment has."""
    how = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target)]
    folders = [str(each.resolve()) for each in distributions]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *how, *folders], check=True)
    return sorted(target.glob("*.whl"))


def image_of(name: str, layers: Sequence[Path]) -> Image:
    """How the image is run: as a user without rights, with nothing to write to."""
    return Image(
        name,
        layers,
        entrypoint=["/usr/local/bin/wf"],
        command=["controller"],
        environment=additions.ENVIRONMENT,
        user="65532:65532",
        labels={
            "org.opencontainers.image.title": "wf",
            "org.opencontainers.image.version": metadata.version("wf-core"),
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
