"""What the engine and people can know of a kind without calling it (semantics B5, B6, B10)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from wf_core.plugins import LoadedKind, ParametersInvalid, Registry
from wf_core.plugins.parameters.invalid import AUTHOR
from wf_core.saga.saved_parameters import difference, merged
from wf_core.testing.conformance.broken import broken
from wf_core.testing.conformance.taken import taken
from wf_core.testing.conformance.wire_values import values
from wf_core.testing.conformance.world import World

UNKNOWN = "thereIsNoSuchParameter"
TRIES = 50


class ParameterChecks:
    """Nothing runs."""

    def test_the_engine_takes_the_kind(self, world: World) -> None:
        registry = Registry.of([world.kind()])
        if registry.problems:
            broken("the engine takes the kind", "; ".join(registry.problems), "Mend it")

    def test_the_kind_and_its_parameters_are_described(self, world: World) -> None:
        loaded = taken(world)
        missing = list(_undescribed(loaded.schema(), ""))
        if not loaded.description:
            missing.insert(0, "the kind itself")
        if missing:
            broken(
                "`wf kinds show` says what a kind and each parameter is for",
                f"nothing is said of {', '.join(missing)}",
                'Give the kind `description = "..."`, and a field '
                '`attrs.field(metadata={"description": "..."})`',
            )

    def test_good_parameters_are_taken_and_unknown_ones_refused(self, world: World) -> None:
        loaded = taken(world)
        good = dict(world.parameters())
        faults = [str(each) for each in loaded.faults(good, undoable=True)]
        validator = Draft202012Validator(loaded.schema())
        faults += [each.message for each in validator.iter_errors(good)]
        if faults:
            broken("good parameters are taken", "; ".join(faults), "Mend the class or the world")
        more = {**good, UNKNOWN: 1}
        if not loaded.faults(more, undoable=True) or validator.is_valid(more):
            broken(
                "unknown parameters are refused", "one was taken", "Let the class be an attrs one"
            )

    def test_parameters_round_trip(self, world: World) -> None:
        loaded = taken(world)
        schema = loaded.schema()
        validator = Draft202012Validator(schema)
        good = dict(world.parameters())
        if not schema["properties"]:
            return

        @settings(
            max_examples=TRIES,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(drawn=values(schema), kept=st.sets(st.sampled_from(sorted(schema["properties"]))))
        def holds(drawn: dict[str, Any], kept: set[str]) -> None:
            wire = {**drawn, **{name: good[name] for name in kept if name in good}}
            _require_no_crash(loaded, wire)
            try:
                decoded = loaded.decode(wire)
            except ParametersInvalid:
                return
            again = loaded.encode(decoded)
            _require_json(wire, again)
            refused = next(validator.iter_errors(again), None)
            if refused is not None:
                _changed(wire, f"the schema refuses {again}: {refused.message}")
            try:
                twice = loaded.decode(again)
            except ParametersInvalid as error:
                _changed(wire, f"{again} is refused: {error}")
            if twice != decoded:
                _changed(wire, f"{decoded} became {twice}")
            # With the first intent is saved what the document does not say; it is all that an undo
            # is told, perhaps by a newer version.
            saved = difference(wire, again)
            if loaded.decode(merged(wire, saved)) != decoded:
                _changed(wire, f"{saved} is saved, and gives something else than {decoded}")

        holds()


def _undescribed(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, each in schema.get("properties", {}).items():
        if not each.get("description"):
            yield f"`{path}{name}`"
        for inner in (each, each.get("items", {}), *each.get("anyOf", ())):
            yield from _undescribed(inner, f"{path}{name}.")


def _require_no_crash(loaded: LoadedKind, wire: dict[str, Any]) -> None:
    for fault in loaded.faults(wire, undoable=True):
        if fault.hint == AUTHOR:
            broken(
                "`faults` says what is wrong with any parameters that decode",
                f"of {wire} it says: {fault.message}",
                "Yield a sentence, and raise nothing",
            )


def _require_json(wire: dict[str, Any], encoded: object) -> None:
    try:
        same = msgspec.json.decode(msgspec.json.encode(encoded)) == encoded
    except (TypeError, ValueError) as error:
        same, encoded = False, f"{encoded} ({error})"
    if not same:
        broken(
            "parameters are saved as JSON with the first intent",
            f"{wire} is {encoded} once decoded, which JSON does not carry",
            "Keep in the parameter class what a document can write, and make the rest in the hook",
        )


def _changed(wire: dict[str, Any], found: str) -> None:
    broken(
        "parameters that were decoded and written again are the same",
        f"from {wire} {found}",
        "Let converters of attrs give again what they are given once it has its form",
    )
