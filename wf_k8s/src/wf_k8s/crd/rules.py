"""The CEL rules of the resources: what no type can say.

A rule about what can never change afterwards is asked at creation alone (`oldSelf.hasValue() ||`):
the API server otherwise evaluates the rules of `spec` at every save of the status. So it does with
the rules that compare what can't change: those of what may be large are asked of the whole object,
where the revision tells a save, which can't have changed the spec. To look a name up, the names are
put into a map once: `in` on a list is linear, and would cost the square.
"""

import attrs

from wf_core.codec import Schema
from wf_core.codec.cluster_bounds import CLUSTER_CONDITIONS


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


def _unchanged(field: str, message: str, unless: str = "") -> Rule:
    now, before = f"self.{field}", f"oldSelf.{field}"
    same = f"has({now}) == has({before}) && (!has({now}) || {now} == {before})"
    rule = f"{unless} || ({same})" if unless else same
    return Rule(rule, message, f".{field}", "FieldValueForbidden")


def _immutable(field: str, verb: str = "is") -> Rule:
    return _unchanged(field, f"{field} {verb} immutable: make a new Workflow instead")


_SAVED = (
    "(has(self.status) && has(oldSelf.status) && self.status.revision != oldSelf.status.revision)"
)
"""Of the whole object: this is a save. Where the status is written the API server keeps the spec as
it was, and where the spec is written, the status."""


def _large_immutable(field: str) -> Rule:
    """As `_immutable`, of the whole object: not compared at a save."""
    message = f"{field} are immutable: make a new Workflow instead"
    return _unchanged(f"spec.{field}", message, unless=_SAVED)


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

CONDITIONS = _at_creation(
    f"self.steps.map(s, has(s.dependOns) ? s.dependOns.size() : 0).sum() <= {CLUSTER_CONDITIONS}",
    f"a workflow has at most {CLUSTER_CONDITIONS:,} entries in dependOns, those of all steps "
    "together: where many steps wait for the same many, put one step between that waits for them "
    "all, or split the workflow",
    ".steps",
)
"""Of `spec.steps`: a save costs the API server time for each of them."""

GRAPH = (*(_at_creation(rule, message, ".steps") for rule, message in _SOUND), CONDITIONS)
"""Of `spec.steps`. Cycles are left to the engine: no rule that finds them fits its budget."""

TEMPLATE = tuple(Rule(rule, message, ".steps") for rule, message in _SOUND)
"""Of the `spec` in a template, which may change: asked whenever the object is written. A schedule
has a save or two a run."""

UNCHANGED = (
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
"""All of `spec` but `deletionPolicy`, `ttlSecondsAfterFinished` and `requests`, and but what is
asked of the whole object: a running saga depends on it."""

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
    _large_immutable("steps"),
    _large_immutable("parameters"),
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
