"""How a check fails: one sentence on the promise that is broken, and one on what to do next."""

from typing import NoReturn

import pytest

from wf_core.testing.lives.orders import Failed


def broken(promise: str, found: str, advice: str) -> NoReturn:
    """Fail the check; what led here is part of `found`."""
    raise pytest.fail.Exception(f"{promise}, but {found}. {advice}.", pytrace=False) from None


def in_words(failed: Failed) -> str:
    """A failure in words."""
    raised = "" if failed.expected else "an exception that is none of wf_core.kinds, "
    return f"{raised}{failed.severity}: {failed.message}"
