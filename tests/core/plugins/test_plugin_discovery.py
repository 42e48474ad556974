"""Finding installed plugins: what is wrong with one is said by name and harms no other."""

import importlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from wf_core.errors import KindUnavailable
from wf_core.plugins import Registry, Status, load

Install = Callable[..., None]
Source = Callable[[str], str]


def test_an_installed_kind_is_found_with_its_distribution(
    install: Install, kind_source: Source
) -> None:
    install("wf-lamp", "2.1", {"lamp": "lamp_plugin"}, lamp_plugin=kind_source("lamp"))
    registry = load()
    assert registry.kind("lamp").identity == "wf-lamp 2.1"
    info = next(each for each in registry.plugins if each.distribution == "wf-lamp")
    assert (info.name, info.version, info.module) == ("lamp", "2.1", "lamp_plugin")
    assert (info.kinds, info.status, info.problem) == (("lamp",), Status.LOADED, None)


def test_two_distributions_may_use_one_entry_point_name(
    install: Install, kind_source: Source
) -> None:
    install("wf-one", "1.0", {"same": "one_plugin"}, one_plugin=kind_source("one"))
    install("wf-two", "1.0", {"same": "two_plugin"}, two_plugin=kind_source("two"))
    registry = load()
    assert registry.kind("one").distribution == "wf-one"
    assert registry.kind("two").distribution == "wf-two"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError: "),
    ],
)
def test_a_plugin_that_fails_to_import_is_named_and_takes_no_other_down(
    install: Install, kind_source: Source, source: str, said: str
) -> None:
    install("wf-broken", "0.3", {"broken": "broken_plugin"}, broken_plugin=source)
    install("wf-lamp", "1.0", {"lamp": "lamp_plugin"}, lamp_plugin=kind_source("lamp"))
    registry = load()
    assert registry.kind("lamp")
    (problem,) = [each for each in registry.problems if each.startswith("wf-broken 0.3: ")]
    assert said in problem
    assert "'broken' (broken_plugin)" in problem
    info = next(each for each in registry.plugins if each.distribution == "wf-broken")
    assert (info.status, info.problem) == (Status.FAILED, problem)


def test_an_unknown_kind_names_the_plugins_that_could_not_be_imported(install: Install) -> None:
    install("wf-broken", "0.3", {"broken": "broken_plugin"}, broken_plugin="import no_such_module")
    with pytest.raises(KindUnavailable, match=r"'torch'.*wf-broken 0\.3: .*no_such_module"):
        load().kind("torch")


@pytest.mark.parametrize("value", ["lamp_plugin:missing", "not a module!", ":"])
def test_an_entry_point_that_names_nothing_is_a_problem_of_its_distribution(
    install: Install, kind_source: Source, value: str
) -> None:
    install("wf-lamp", "1.0", {"lamp": value}, lamp_plugin=kind_source("lamp"))
    assert any(each.startswith("wf-lamp 1.0: ") for each in load().problems)


def test_two_distributions_with_one_kind_are_both_named_and_neither_wins(
    install: Install, kind_source: Source
) -> None:
    install("wf-one", "1.0", {"one": "one_plugin"}, one_plugin=kind_source("lamp"))
    install("wf-two", "2.0", {"two": "two_plugin"}, two_plugin=kind_source("lamp"))
    registry = load()
    assert "lamp" not in registry.kinds
    with pytest.raises(KindUnavailable, match=r"wf-one 1\.0 .*and wf-two 2\.0 .*uninstall"):
        registry.kind("lamp")
    for name in ("wf-one 1.0: ", "wf-two 2.0: "):
        assert any(each.startswith(name) for each in registry.problems)


def test_one_module_behind_two_entry_points_is_loaded_once(
    install: Install, kind_source: Source
) -> None:
    install("wf-one", "1.0", {"a": "lamp_plugin"}, lamp_plugin=kind_source("lamp"))
    install("wf-two", "1.0", {"b": "lamp_plugin"})
    registry = load()
    assert registry.kind("lamp").distribution == "wf-one"
    skipped = next(each for each in registry.plugins if each.distribution == "wf-two")
    assert skipped.status is Status.SKIPPED
    assert skipped.problem is not None
    assert "is loaded already, from wf-one 1.0" in skipped.problem


def test_the_built_in_stores_come_in_through_the_same_door() -> None:
    built_in = {each.name for each in load().plugins if each.distribution == "wf-core"}
    assert {"sqlite", "memory"} <= built_in


def test_discovery_can_be_added_to_plugins_at_hand(install: Install, kind_source: Source) -> None:
    install("wf-lamp", "1.0", {"lamp": "lamp_plugin"}, lamp_plugin=kind_source("lamp"))
    assert "lamp" not in Registry.of([]).kinds
    assert "lamp" in Registry.of([], discover=True).kinds


def test_a_module_at_hand_is_named_by_its_package(install: Install, kind_source: Source) -> None:
    install("wf-lamp", "1.0", {}, lamp_plugin=kind_source("lamp"))
    registry = Registry.of([importlib.import_module("lamp_plugin")])
    assert registry.kind("lamp").identity == "lamp_plugin"


def test_loading_brings_no_parameter_machinery_in() -> None:
    """cattrs costs more than all the rest, and many commands decode nothing."""
    code = "import sys, wf_core.plugins as p; p.load(); print('cattrs' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
