"""The CEL rules of the resources: what no type can say.

A rule about what can never change afterwards is asked at creation alone (`oldSelf.hasValue() ||`):
the API server otherwise evaluates the rules of `spec` at every save of the status. To look a name
up, the names are put into a map once: `in` on a list is linear, and would cost the square.
"""

import attrs

from wf_core.codec import Schema


@attrs.frozen
class Rule:
    """One rule. `path` is the field that the message is about. `once`: it sees `oldSelf` as an
    optional value, so that it is asked at creation too."""

    rule: str
    message: str
    path: str = ""
    reason: str = "FieldValueInvalid"
    once: bool = False

    def validation(self) -> Schema:
        """As an entry of `x-kubernetes-validations`."""
        return {
            "rule": self.rule,
            "message": self.message,
            "reason": self.reason,
            **({"fieldPath": self.path} if self.path else {}),
            **({"optionalOldSelf": True} if self.once else {}),
        }


_NAMES = "self.steps.transformMapEntry(i, s, {s.name: true})"


def _at_creation(rule: str, message: str, path: str) -> Rule:
    return Rule(f"oldSelf.hasValue() || {rule}", message, path, once=True)


def _unchanged(field: str, message: str) -> Rule:
    now, before = f"self.{field}", f"oldSelf.{field}"
    return Rule(
        f"has({now}) == has({before}) && (!has({now}) || {now} == {before})",
        message,
        f".{field}",
        "FieldValueForbidden",
    )


def _immutable(field: str, verb: str = "is") -> Rule:
    return _unchanged(field, f"{field} {verb} immutable: make a new Workflow instead")


_SOUND = (
    (f"{_NAMES}.size() == self.steps.size()", "the names of steps must be unique"),
    (
        f"[{_NAMES}].all(names, self.steps.all(s, "
        "!has(s.dependOns) || s.dependOns.all(d, d.name in names)))",
        "dependOns must name steps of this workflow; `wf graph` says which do not",
    ),
    (
        "self.steps.all(s, !has(s.dependOns) || s.dependOns.all(d, d.name != s.name))",
        "a step can't depend on itself",
    ),
    (
        "self.steps.filter(s, has(s.pivot) && s.pivot).size() <= 1",
        "at most one step can be the pivot",
    ),
)

GRAPH = tuple(_at_creation(rule, message, ".steps") for rule, message in _SOUND)
"""Of `spec.steps`. Cycles are left to the engine: no rule that finds them fits its budget."""

TEMPLATE = tuple(Rule(rule, message, ".steps") for rule, message in _SOUND)
"""Of the `spec` in a template, which may change: asked whenever the object is written. A schedule
has a save or two a run."""

UNCHANGED = (
    _immutable("steps", "are"),
    _immutable("parameters", "are"),
    _immutable("queue"),
    _immutable("priority"),
    _immutable("callback"),
    _immutable("rollbackPolicy"),
    _immutable("onFailure"),
    _immutable("activeDeadlineSeconds"),
    _unchanged(
        "suspend",
        "suspend only says how the workflow starts: append a Suspend or Continue request to "
        "spec.requests instead",
    ),
)
"""All of `spec` but `deletionPolicy`, `ttlSecondsAfterFinished` and `requests`: a running saga
depends on it."""

TASK = (
    Rule(
        "self == oldSelf",
        "a task's spec is immutable: make a new Task instead, or ask its workflow",
        reason="FieldValueForbidden",
    ),
)
"""Of the `spec` of a task: its workflow is made of it once."""

REQUESTED_STEP = Rule(
    "!has(self.requests) || "
    "(oldSelf.hasValue() && has(oldSelf.value().requests) && "
    "self.requests == oldSelf.value().requests) || "
    f"[{_NAMES}].all(names, self.requests.all(r, !has(r.step) || r.step in names))",
    "a request must name a step of this workflow",
    ".requests",
    once=True,
)

SPEC = (*GRAPH, *UNCHANGED, REQUESTED_STEP)
"""The rules of `spec`."""

REQUEST = (
    _at_creation(
        "!(self.type in ['MarkSucceeded', 'SkipRollback', 'MarkRolledBack']) || has(self.step)",
        "this request must say which step it is about",
        "",
    ),
    _at_creation("self.type != 'Signal' || has(self.name)", "a Signal must have a name", ""),
)
"""The rules of one entry of `spec.requests`."""

_REQUESTS = "has(self.spec.requests) ? self.spec.requests.transformMapEntry(i, r, {r.id: r}) : {}"
_ANSWERED = (
    "has(oldSelf.status) && has(oldSelf.status.answers) ? "
    "oldSelf.status.answers.transformMapEntry(i, a, {a.id: true}) : {}"
)

OBJECT = (
    # Not on the list itself, where it would be skipped when the whole list is removed.
    Rule(
        "!has(oldSelf.spec.requests) || "
        f"[{_REQUESTS}].all(now, [{_ANSWERED}].all(answered, "
        "oldSelf.spec.requests.all(r, r.id in now ? now[r.id] == r : r.id in answered)))",
        "requests may only be added; one may be removed once it is answered in status.answers",
        ".spec.requests",
        "FieldValueForbidden",
    ),
)
"""The rules of the whole object."""

REVISION = (
    # With `has`, since the default `{}` is judged too, before it is filled in.
    Rule(
        "!has(oldSelf.revision) || (has(self.revision) && self.revision >= oldSelf.revision)",
        "revision can't go back: this save is stale",
        ".revision",
        "FieldValueForbidden",
    ),
)
"""Of a status that counts its saves. What is removed is filled in as 0 and so has gone back; that
holds of the whole status too."""

STATUS = (
    *REVISION,
    Rule(
        "!has(oldSelf.epoch) || (has(self.epoch) && self.epoch >= oldSelf.epoch)",
        "epoch can't go back: a newer owner has written",
        ".epoch",
        "FieldValueForbidden",
    ),
)
"""The rules of a workflow's `status`."""


def validations(rules: tuple[Rule, ...]) -> Schema:
    """The part of a schema that holds its rules."""
    return {"x-kubernetes-validations": [rule.validation() for rule in rules]}
