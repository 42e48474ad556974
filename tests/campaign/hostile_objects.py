"""Objects that nobody in his right mind writes, and that an API server accepts: JSON texts, since
no encoder of ours goes as deep."""

import json
import random
from collections.abc import Callable

import attrs

API = "workflow.example.com/v1alpha1"
DEPTHS = (2, 20, 190, 210, 900, 985, 995, 1005, 1500, 5_000, 8_900)
LARGE = 400_000
NUMBERS = ("0", "-1", "1e308", "-1e308", "5e-324", "1.7976931348623157e308", "0.1")
WHOLE = (0, -1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), 10**18)
TEXTS = ("", "\\u0000", "\\ud800", "\\udfff\\ud800", "\\u202e", "x" * 300, "ü" * 100, "$" * 50)
PHASES = ("Pending", "Running", "Success", "RollingBack", "RollBacked", "Failed")


@attrs.frozen
class Hostile:
    """One object: `plural` is its kind's, `document` the JSON that creates it; `status` are the
    fields that an administrator pastes into its status, as JSON."""

    name: str
    plural: str
    document: str
    status: dict[str, str]


class Hostiles:
    """Objects, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._made = 0

    def next(self) -> Hostile:
        """One more."""
        chance, self._made = self._chance, self._made + 1
        name = f"hostile-{self._made}"
        make = chance.choice(
            (self._workflow, self._workflow, self._workflow, self._cron, self._task)
        )
        return make(name)

    def _workflow(self, name: str) -> Hostile:
        chance = self._chance
        spec = [f'"steps": [{self._step("a")}, {self._step("b")}]']
        if chance.random() < 0.7:
            spec.append('"suspend": true')
        if chance.random() < 0.6:
            spec.append(f'"parameters": {self._object()}')
        if chance.random() < 0.4:
            spec.append(f'"requests": [{self._request(0)}, {self._request(1)}]')
        if chance.random() < 0.2:
            spec.append('"deletionPolicy": "Orphan"')
        status = self._status() if chance.random() < 0.4 else {}
        finalizer = chance.random() < 0.3
        return Hostile(name, "workflows", self._document("Workflow", name, spec, finalizer), status)

    def _cron(self, name: str) -> Hostile:
        spec = f'"steps": [{self._step("a")}], "parameters": {self._object()}'
        parts = ['"schedule": "0 0 1 1 *"', f'"workflowTemplate": {{"spec": {{{spec}}}}}']
        return Hostile(name, "cronworkflows", self._document("CronWorkflow", name, parts), {})

    def _task(self, name: str) -> Hostile:
        parts = ['"type": "random"', f'"parameters": {self._object()}']
        return Hostile(name, "tasks", self._document("Task", name, parts), {})

    def _document(self, kind: str, name: str, spec: list[str], finalizer: bool = False) -> str:
        meta = [f'"name": "{name}"']
        if self._chance.random() < 0.3:
            meta.append(f'"annotations": {{"{self._key()}": {self._text()}}}')
        if self._chance.random() < 0.3:
            meta.append('"labels": {"a.b/c": "' + self._chance.choice(("", "x" * 63, "1")) + '"}')
        if finalizer:
            meta.append('"finalizers": ["workflow.example.com/undo"]')
        whole = f'"metadata": {{{", ".join(meta)}}}, "spec": {{{", ".join(spec)}}}'
        return f'{{"apiVersion": "{API}", "kind": "{kind}", {whole}}}'

    def _step(self, name: str) -> str:
        hostile = self._chance.random() < 0.5
        parameters = self._object() if hostile else '{"sleepSeconds": 0}'
        kind = self._chance.choice(("random", "random", "nobody-has-this"))
        template = f'{{"type": "{kind}", "parameters": {parameters}}}'
        return f'{{"name": "{name}", "stepTemplate": {template}}}'

    def _request(self, n: int) -> str:
        return f'{{"id": "r{n}", "type": "Signal", "name": "s", "value": {self._value()}}}'

    def _status(self) -> dict[str, str]:
        """Fields of a status, most of them none that fit together."""
        chance = self._chance
        whole: Callable[[], str] = lambda: str(chance.choice(WHOLE))  # noqa: E731
        number: Callable[[], str] = lambda: chance.choice(NUMBERS)  # noqa: E731
        fields: dict[str, Callable[[], str]] = {
            "phase": lambda: json.dumps(chance.choice(PHASES)),
            "schemaVersion": lambda: chance.choice(("99", "1", "2")),
            "revision": whole,
            "epoch": whole,
            "deadlineAt": number,
            "reached": lambda: f'{{"Running": {number()}, "Pending": 1}}',
            "owner": lambda: chance.choice(('"somebody"', '""')),
            "signals": self._object,
            "cause": self._text,
            "error": self._text,
            "suspended": lambda: chance.choice(("true", "false")),
            "deletionAskedAt": number,
            "steps": lambda: f'{{"a": {self._state()}, "{chance.choice("abz")}": {self._state()}}}',
            "attributes": self._object,
            "outboxSeq": whole,
            "remarks": lambda: '[{"type": "T", "reason": "R", "message": "m", "since": 1}]',
        }
        names = chance.sample(sorted(fields), chance.randint(1, 6))
        return {name: fields[name]() for name in names}

    def _state(self) -> str:
        chance = self._chance
        parts = [f'"phase": "{chance.choice(PHASES)}"']
        if chance.random() < 0.5:
            parts.append(f'"attempt": {chance.choice(WHOLE)}')
        if chance.random() < 0.5:
            parts.append(f'"attributes": {self._object()}')
        if chance.random() < 0.3:
            parts.append(f'"nextAttemptAt": {chance.choice(NUMBERS)}')
        if chance.random() < 0.2:
            parts.append('"inProgress": true')
        return f"{{{', '.join(parts)}}}"

    def _object(self) -> str:
        chance = self._chance
        if chance.random() < 0.05:
            return "{" + ", ".join(f'"k{n}": {n}' for n in range(chance.randint(10, 5_000))) + "}"
        return f'{{"{self._key()}": {self._value()}}}'

    def _key(self) -> str:
        return self._chance.choice(("a", "a.b/c", "k" * 60, "sleepSeconds"))

    def _value(self) -> str:
        chance = self._chance
        kind = chance.random()
        if kind < 0.4:
            return self._nested(chance.choice(DEPTHS))
        if kind < 0.6:
            return chance.choice(NUMBERS)
        if kind < 0.7:
            return str(chance.choice(WHOLE))
        return self._text()

    def _nested(self, depth: int) -> str:
        if self._chance.random() < 0.5:
            return "[" * depth + "]" * depth
        return '{"d":' * depth + "null" + "}" * depth

    def _text(self) -> str:
        if self._chance.random() < 0.01:
            return '"' + "t" * LARGE + '"'
        return f'"{self._chance.choice(TEXTS)}"'
