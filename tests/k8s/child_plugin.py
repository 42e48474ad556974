"""A plugin for controllers that run as processes of their own."""

from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, name: str, module: str) -> Mapping[str, str]:
    """Put the module where a process finds it as a plugin that starts in this environment."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wf.plugins]\n{name} = {name}\n")
    (folder / f"{name}.py").write_text(module)
    return {"PYTHONPATH": str(folder)}
