"""When to try again, and when to look again. Seconds.

Jitter must not be random here: it is a fraction derived from what is tried, different for every
workflow, step and attempt, and the same whenever it is computed.
"""

import zlib

from wf_core.model.spec import DEFAULT_MAX_PERIOD, RetryPolicy

THROTTLED_LEAST = 1.0
POLL_FIRST, POLL_LAST, POLL_FACTOR = 10.0, 60.0, 1.5
LEAST_STATUS_WATCH = 5.0
LEAST_LOOK = 0.1
"""Seconds that at least lie between two looks at a step, whatever its kind asks (semantics E8)."""
JITTER = 0.1


def fraction(*what: object) -> float:
    """A number in [0, 1) that depends on nothing but `what`."""
    return zlib.crc32("/".join(map(str, what)).encode()) / 2**32


def retry_delay(period: float, policy: RetryPolicy, failures: int, jitter: float) -> float:
    """Seconds before the retry after the `failures`-th counted failure (from 1).

    Jitter makes it up to a tenth longer. Where that would exceed the maximum, the tenth before the
    maximum is used instead, but never less than a period that is within it.
    """
    most = _most(period, policy)
    # A bounded exponent: 2.0 ** 10_000 would overflow where no limit is set.
    delay = min(period * policy.factor ** min(failures - 1, 64), most)
    least = period if period <= most else 0.0
    earliest = min(delay, max(least, most * (1 - JITTER)))
    latest = min(delay * (1 + JITTER), most)
    return earliest + (latest - earliest) * jitter


def longest_retry(period: float, policy: RetryPolicy) -> float:
    """No saved wait is longer, whatever the clock did in between (semantics H)."""
    return max(_most(period, policy), THROTTLED_LEAST)


def _most(period: float, policy: RetryPolicy) -> float:
    """No retry waits longer. The default maximum gives way to a longer period, with its jitter."""
    if policy.max_period_seconds == DEFAULT_MAX_PERIOD and period > DEFAULT_MAX_PERIOD:
        return period * (1 + JITTER)
    return policy.max_period_seconds


def poll_delay(poll_after: float | None, sync_period: float, polls: int) -> float:
    """Seconds until something in progress is looked at again (semantics B1, E8)."""
    if poll_after is not None:
        return max(poll_after, LEAST_LOOK)
    if sync_period > 0:
        return max(sync_period, LEAST_LOOK)
    return min(POLL_FIRST * POLL_FACTOR ** min(polls, 16), POLL_LAST)


def watch_delay(period: float, jitter: float) -> float:
    """Seconds until a finished step is looked at again: a tenth around the period (B9, E8)."""
    return max(period * (1 - JITTER + 2 * JITTER * jitter), LEAST_LOOK)
