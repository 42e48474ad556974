"""Stands in for programs that would reach out of the machine, and refuses what they would refuse.

`docker build` wants a Dockerfile and arguments that it declares, `pip install` packages of this
checkout that are installed, or ones with a version; neither does anything.
"""

import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

OPTIONS = {"docker": {"--tag", "-t", "--build-arg", "--file", "-f"}, "pip": set[str]()}


def main(program: str, arguments: list[str]) -> int:
    """Judge a command line; 0 where it makes sense."""
    verb, *rest = arguments
    values, words = _parsed(program, rest)
    if (program, verb) == ("docker", "build"):
        return _build(words, values)
    if (program, verb) == ("docker", "push"):
        return 0 if len(words) == 1 else _refuse("docker push takes one image")
    if (program, verb) == ("pip", "install"):
        return max(map(_install, words), default=0)
    return _refuse(f"{program} {verb}: no page says what this does; teach it to {__file__}")


def _parsed(program: str, rest: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    values, words = [], []
    pending = iter(rest)
    for each in pending:
        if not each.startswith("-"):
            words.append(each)
            continue
        name, _, value = each.partition("=")
        if name not in OPTIONS[program]:
            raise SystemExit(f"{program} has no option {name} that is known here")
        values.append((name, value or next(pending)))
    return values, words


def _build(words: list[str], values: list[tuple[str, str]]) -> int:
    if len(words) != 1:
        return _refuse("docker build takes one folder")
    text = (Path(words[0]) / "Dockerfile").read_text(encoding="utf-8")
    for name, value in values:
        if name == "--build-arg" and not re.search(
            rf"^ARG {value.partition('=')[0]}\b", text, re.M
        ):
            return _refuse(f"the Dockerfile has no ARG {value}")
    return 0


def _install(package: str) -> int:
    folder = Path(re.sub(r"\[[\w,-]+\]$", "", package))
    if folder.is_dir():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        distribution(project["project"]["name"])
        return 0
    return 0 if re.fullmatch(r"[\w.-]+==[\w.]+", package) else _refuse(f"{package} has no version")


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
