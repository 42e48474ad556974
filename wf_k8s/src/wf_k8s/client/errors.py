"""How a request to the API server can fail, told apart by what may be done about it.

All are errors of `wf_core`, so that what nobody handles reaches a person as a sentence.
"""

from collections.abc import Sequence

import attrs

from wf_core.errors import AuthorError, StoreUnavailable


@attrs.frozen
class Cause:
    """One thing that is wrong with an object: the field's path, the reason and the sentence."""

    field: str = ""
    reason: str = ""
    message: str = ""


class BadNameError(AuthorError):
    """What cannot be the name of an object, and as part of a path would name something else."""


class RefusedError(StoreUnavailable):
    """The API server answered with an error: nothing was changed.

    `code` is the HTTP status, `reason` Kubernetes' word for it, `after` the seconds that
    Retry-After asks to wait.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        what: str,
        causes: Sequence[Cause] = (),
        after: float | None = None,
    ) -> None:
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = tuple(causes)
        self.after = after
        super().__init__(f"{what}: {message or reason} (HTTP {code}){_next_step(code, reason)}")

    @property
    def too_large(self) -> bool:
        """The object or the request is beyond what the API server or etcd takes: never retried."""
        return self.code == 413 or (
            self.code == 500
            and ("request is too large" in self.message or "ResourceExhausted" in self.message)
        )

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later by itself."""
        return self.code in (408, 429) or (self.code >= 500 and not self.too_large)


REACH_IT = "nothing was lost. Check that the API server can be reached (`kubectl version`)"


class NoAnswerError(StoreUnavailable):
    """The connection failed or nothing came in time. A write may have been done, unless `unsent`:
    then no connection came about."""

    def __init__(
        self, what: str, why: str, *, unsent: bool = False, advice: str = REACH_IT
    ) -> None:
        self.unsent = unsent
        super().__init__(f"{what}: {why}; {advice}")


class GoneError(StoreUnavailable):
    """The resource version, or the page of a list, is too old (410): list again."""


def _next_step(code: int, reason: str) -> str:
    if code == 401:
        return "; the credentials are not accepted: renew them, or name another context"
    if code == 403:
        return "; whoever runs this lacks a permission: `kubectl auth can-i --list` shows them"
    if code == 404 and not reason:  # no object is missing, but the resource itself
        tells = "`wf crd | kubectl apply --server-side -f -` tells it"
        return f"; this cluster does not know workflows: {tells}"
    return ""
