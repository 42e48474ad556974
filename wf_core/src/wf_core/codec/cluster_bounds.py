"""How much one object of a Kubernetes cluster may hold (semantics C7).

Every save makes the API server read, judge, copy and write the whole object, at a cost for each of
its values, however few bytes they have; and it keeps the last hundred states of it in memory. So
one document of many values would take that time and memory from everybody else.
"""

from collections.abc import Iterator

from wf_core.model.spec import Json, Workflow

CLUSTER_STEPS = 500
CLUSTER_CONDITIONS = 4_000
"""Entries of all `dependOns` together."""
CLUSTER_VALUES = 20_000
"""Values of all parameters together, those of the workflow and of every step: each text, number,
list and object is one, and each reference within a text is one more."""


def beyond_a_cluster(workflow: Workflow) -> Iterator[str]:
    """What of a document is more than a cluster takes, a sentence each. It takes no longer than
    what a cluster takes allows."""
    spec = workflow.spec
    if len(spec.steps) > CLUSTER_STEPS:
        yield (
            f"it has {len(spec.steps):,} steps, and a Kubernetes cluster takes {CLUSTER_STEPS} in "
            "one workflow: split it"
        )
    conditions = sum(len(step.depend_ons) for step in spec.steps)
    if conditions > CLUSTER_CONDITIONS:
        yield (
            f"it has {conditions:,} entries in `dependOns`, and a Kubernetes cluster takes "
            f"{CLUSTER_CONDITIONS:,} in one workflow: where many steps wait for the same many, put "
            "one step between that waits for them all, or split the workflow"
        )
    given = [spec.parameters, *(step.step_template.parameters for step in spec.steps)]
    if values(given, CLUSTER_VALUES) > CLUSTER_VALUES:
        yield (
            f"its parameters hold more than {CLUSTER_VALUES:,} values (texts, numbers, lists, "
            "objects and references), which is what a Kubernetes cluster takes in one workflow: "
            "keep the data elsewhere and pass its address, or split the workflow"
        )


def values(given: list[dict[str, Json]], most: int) -> int:
    """How many values and references parameters hold; once it is more than `most`, any figure above
    that."""
    total, rest = 0, [each for parameters in given for each in parameters.values()]
    while rest and total <= most:
        each = rest.pop()
        total += 1
        if isinstance(each, str):
            total += each.count("${")
        elif isinstance(each, dict | list | tuple):
            if total + len(rest) + len(each) > most:
                return most + 1
            rest.extend(each.values() if isinstance(each, dict) else each)
    return total
