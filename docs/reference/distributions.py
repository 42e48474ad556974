"""What belongs to this project, among all that may be installed beside it."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {
    tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]: file.parent.relative_to(
        ROOT
    )
    for pattern in ("wf_*/pyproject.toml", "plugins/*/pyproject.toml")
    for file in ROOT.glob(pattern)
}
"""The folders of the distributions, by name."""
