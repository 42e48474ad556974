"""What a workflow's author may write under `stepTemplate.parameters` of a `random` step."""

from collections.abc import Iterator

import attrs

from wf_core.model.spec import Json

LONGEST = 1e9
"""Seconds, 31 years: what a thread can surely be told to wait."""


@attrs.frozen(kw_only=True)
class RandomParameters:
    """Parameters of a `random` step. On the wire they are camelCase, and `async_` is `async`."""

    sleep_seconds: float = attrs.field(
        default=1.0,
        metadata={"description": "How long a run, and an undo, takes, in seconds."},
    )
    failure_rate: float = attrs.field(
        default=0.0,
        metadata={"description": "Share of run attempts that fail, 0 to 1; they can be retried."},
    )
    rollback_failure_rate: float = attrs.field(
        default=0.0,
        metadata={"description": "Share of undo attempts that fail, 0 to 1; they can be retried."},
    )
    fail_attempts: int = attrs.field(
        default=0,
        metadata={"description": "The first so many run attempts fail; they can be retried."},
    )
    seed: int | None = attrs.field(
        default=None,
        metadata={
            "description": "Makes failures a function of seed, step name and attempt: "
            "the same document fails in the same way every time."
        },
    )
    async_: bool = attrs.field(
        default=False,
        metadata={"description": "Do not hold a thread: answer InProgress and be looked at."},
    )
    attributes: dict[str, Json] = attrs.field(
        factory=dict,
        metadata={"description": "Attributes that the step produces when its run succeeds."},
    )


def faults(parameters: RandomParameters) -> Iterator[str]:
    """What the types do not say: times can be waited for, rates are shares."""
    sleep = parameters.sleep_seconds
    if not 0 <= sleep <= LONGEST:
        yield f"sleepSeconds: give seconds from 0 to {LONGEST:g}, not {sleep:g}"
    rates = {
        "failureRate": parameters.failure_rate,
        "rollbackFailureRate": parameters.rollback_failure_rate,
    }
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            yield f"{name}: give a share from 0 to 1, not {rate:g}"
    if parameters.fail_attempts < 0:
        yield f"failAttempts: give 0 or more, not {parameters.fail_attempts}"
