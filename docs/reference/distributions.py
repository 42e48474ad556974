"""What belongs to this project, among all that may be installed beside it."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = frozenset(
    tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]
    for pattern in ("wf_*/pyproject.toml", "plugins/*/pyproject.toml")
    for file in ROOT.glob(pattern)
)
"""The distributions by name."""
