"""Where the configuration lies."""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "WF_CONFIG"


def find(explicit: Path | None, env: Mapping[str, str]) -> Path | None:
    """The file to read: `explicit`, else `$WF_CONFIG`, else `wf/config.yaml` in the user's folder.

    What a person named is given back whether it exists or not, so that a slip is an error and no
    silent default. None: there is no file, use the defaults.
    """
    if explicit is not None:
        return explicit
    if env.get(VARIABLE):
        return Path(env[VARIABLE])
    folder = _home_of_settings(env)
    standard = folder and folder / "wf" / "config.yaml"
    return standard if standard and standard.is_file() else None


def _home_of_settings(env: Mapping[str, str]) -> Path | None:
    """None: this account has no home, as in a container."""
    # The base directory specification has relative paths ignored.
    named = Path(env.get("XDG_CONFIG_HOME", ""))
    if named.is_absolute():
        return named
    try:
        return (Path(env["HOME"]) if env.get("HOME") else Path.home()) / ".config"
    except RuntimeError:
        return None
