"""How a request to the API server can fail, told apart by what may be done about it.

All are errors of `wf_core`, so that what nobody handles reaches a person as a sentence.
"""

import re
from collections.abc import Sequence

import attrs

from wf_core.errors import AuthorError, StoreRefused, StoreUnavailable

_REFUSER = re.compile(
    r"""(?:Validating|Mutating)AdmissionPolicy '[^']{1,253}'|admission webhook "[^"]{1,253}\""""
)
"""As the API server names who refused a request."""


@attrs.frozen
class Cause:
    """One thing that is wrong with an object: the field's path, the reason and the sentence."""

    field: str = ""
    reason: str = ""
    message: str = ""


class BadNameError(AuthorError):
    """What cannot be the name of an object, and as part of a path would name something else."""


class RefusedError(StoreRefused):
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
        super().__init__(f"{what}: {message or reason} (HTTP {code}){_next_step(self)}")

    @property
    def too_large(self) -> bool:
        """The object or the request is beyond what the API server or etcd takes: never retried."""
        return self.code == 413 or (
            self.code == 500
            and ("request is too large" in self.message or "ResourceExhausted" in self.message)
        )

    @property
    def refuser(self) -> str:
        """Which admission policy or webhook of the cluster refused it; "" where that isn't told."""
        found = _REFUSER.search(self.message)
        return found.group() if found is not None else ""

    @property
    def by_schema(self) -> bool:
        """Whether our own definition refused it: what is sent is wrong, and stays wrong."""
        return self.code == 422 and not self.refuser and any(each.field for each in self.causes)

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


class SilentError(NoAnswerError):
    """A watch said nothing for so long that it counts as dead: on an idle collection that is no
    trouble, it is begun anew."""


class GoneError(StoreUnavailable):
    """The resource version, or the page of a list, is too old (410): list again."""


def _next_step(error: RefusedError) -> str:
    code, reason = error.code, error.reason
    if error.refuser:
        return "; ask the cluster's administrator to allow it, or meet what that asks for"
    if code == 401:
        return "; the credentials are not accepted: renew them, or name another context"
    if code == 403 and (not error.message or "cannot" in error.message):
        return "; whoever runs this lacks a permission: `kubectl auth can-i --list` shows them"
    if code == 404 and not reason:  # no object is missing, but the resource itself
        tells = "`wf crd | kubectl apply --server-side -f -` tells it"
        return f"; this cluster does not know workflows: {tells}"
    return ""
