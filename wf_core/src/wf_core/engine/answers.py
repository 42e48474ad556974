"""Requests that come to nothing are told by whoever answers them: who asked may be gone."""

import logging

from wf_core.model.phases import Verdict
from wf_core.model.requests import Answer
from wf_core.model.spec import Key
from wf_core.saga.delta import Delta

log = logging.getLogger("wf.engine")


def tell_refused(key: Key, delta: Delta) -> None:
    """Log each request that this save refuses, or that had no effect."""
    for answer in delta.head.answers if delta.answered else ():
        if answer.seq in delta.answered and answer.verdict is not Verdict.APPLIED:
            log.warning("%s: %s", key, sentence(answer))


def sentence(answer: Answer) -> str:
    """`RetryRun of step 'a', asked by ann, was refused: no run of it waits for a person`."""
    step = f" of step '{answer.step}'" if answer.step else ""
    by = f", asked by {answer.by}," if answer.by else ""
    became = "was refused" if answer.verdict is Verdict.REFUSED else "had no effect"
    return f"{answer.type}{step}{by} {became}: {answer.reason}"
