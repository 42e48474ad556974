"""What the tree is made of."""

import re
import statistics
import tomllib
from pathlib import Path

import pytest

# None of these matches its own source, so this file needs no exception.
HOME = r"(?:^|[^\w.-])/(?:home|Users)/\w|(?:^|[^\w.-])/[r]oot/"
REGISTRY = re.compile(r"pypi\.org|python[h]osted|proxy\.golang|registry\.npmjs|deb\.debian")


def machine_path(root: Path) -> re.Pattern[str]:
    """A home folder of anyone, or the very folder this checkout lies in."""
    return re.compile(f"{HOME}|{re.escape(str(root))}(?![\\w-])")


def lines_of(file: Path) -> int:
    return len(file.read_text().splitlines())


@pytest.fixture(scope="module")
def modules(root: Path, tracked: list[Path]) -> dict[str, int]:
    """Lines of every module that is shipped."""
    return {
        str(file.relative_to(root)): lines_of(file)
        for file in tracked
        if file.suffix == ".py" and "src" in file.parts and "tests" not in file.parts
    }


def hits(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Every line of the files that the pattern finds, as `file:number: line`."""
    return [
        f"{file}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_path_of_a_machine(root: Path, tracked: list[Path]) -> None:
    assert not hits(machine_path(root), tracked)


def test_no_tracked_file_names_a_package_registry(tracked: list[Path]) -> None:
    assert not hits(REGISTRY, tracked)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["see ", "home", "ann", "x"], True),
        (["", "root", ".cache"], True),
        (["", "srv", "checkout", "README.md"], True),
        (["", "srv", "checkout-of-another"], False),
        (["https:", "", "example.com", "home", "x"], False),
    ],
)
def test_a_path_of_a_machine_is_recognised(parts: list[str], found: bool) -> None:
    pattern = machine_path(Path("/srv/checkout"))
    assert bool(pattern.search("/".join(parts))) is found


def test_the_address_of_a_registry_is_recognised() -> None:
    assert REGISTRY.search(".".join(["https://pypi", "org/simple"]))


def test_no_lock_that_records_addresses_is_tracked(tracked: list[Path]) -> None:
    assert "uv.lock" not in {file.name for file in tracked}


def test_no_module_is_longer_than_500_lines(tracked: list[Path]) -> None:
    long = {str(f): lines_of(f) for f in tracked if f.suffix == ".py" and lines_of(f) > 500}
    assert not long


def test_half_of_the_modules_are_shorter_than_150_lines(modules: dict[str, int]) -> None:
    assert statistics.median(modules.values()) < 150


def test_tests_are_no_package(root: Path, tracked: list[Path]) -> None:
    """A tests/wf_core with `__init__.py` would shadow the real one."""
    inside = [file.relative_to(root) for file in tracked if file.name == "__init__.py"]
    assert not [file for file in inside if file.parts[0] == "tests" and "src" not in file.parts]


def test_names_of_test_files_are_unique(tracked: list[Path]) -> None:
    names = [file.name for file in tracked if re.fullmatch(r"test_\w+\.py", file.name)]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


def test_every_dependency_of_a_distribution_is_locked(root: Path, tracked: list[Path]) -> None:
    lock = (root / "requirements-dev.txt").read_text()
    locked = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    projects = [
        tomllib.loads(file.read_text())["project"]
        for file in tracked
        if file.name == "pyproject.toml" and file.parent != root and "tests" not in file.parts
    ]
    ours = {project["name"] for project in projects}
    wanted = {
        re.split(r"[^\w-]", dependency)[0].lower()
        for project in projects
        for dependency in project["dependencies"]
    }
    assert "attrs" in wanted
    assert wanted - ours <= locked


def test_every_locked_version_has_hashes(root: Path) -> None:
    lock = (root / "requirements-dev.txt").read_text()
    pinned = re.findall(r"^\S+==[^\n]*\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)*", lock, re.M)
    assert len(pinned) > 20
    assert not [pin for pin in pinned if "--hash" not in pin]


def test_everything_that_is_logged_is_below_one_name(root: Path, modules: dict[str, int]) -> None:
    """Levels, JSON and the simulation's ear hang on the logger `wf`."""
    named = re.compile(r"getLogger\((?!\)|f?\"wf[.\"])")
    assert not hits(named, [root / each for each in modules])
