"""One workflow as this process last knew it: what a save is built on."""

import attrs
import msgspec

from wf_core.adapters import store_rules as rules
from wf_core.errors import StoreForeign
from wf_core.model.phases import DeletionPolicy
from wf_core.model.requests import Asked
from wf_core.model.spec import Json, Key, Workflow, WorkflowSpec
from wf_core.model.state import Owner, StepState, Stored, WorkflowState
from wf_k8s.client.pace import work_in
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.rows import Place, read_place
from wf_k8s.store.times import epoch_seconds
from wf_k8s.store.wire import (
    Requests,
    Status,
    WireRequest,
    check_version,
    read_body,
    read_status,
    why_unreadable,
)

SAME = tuple(
    name
    for name in WorkflowState.__struct_fields__
    if name not in ("owner", "conditions", "answers")
)
"""The fields of a head that stand in the status under their own names."""
SHOWN = (
    "reason",
    "observedGeneration",
    "progress",
    "conditions",
    "startedAt",
    "finishedAt",
    "stepPhases",
    "attributes",
    "runError",
    "rollbackError",
    "syncError",
    "blocked",
)
"""What the status shows, derived from the rest."""

_spec = msgspec.json.Decoder(WorkflowSpec)
_requests = msgspec.json.Decoder(Requests)
_shown = msgspec.json.Decoder(dict[str, msgspec.Raw])
_json = msgspec.json.Decoder()


@attrs.frozen
class Known:
    """`size` is the object's in bytes, `work` what its writing costs; `shown` is the
    derived part of its status; `controller` is the uid of the object that made it, where one did.
    """

    key: Key
    version: int
    generation: int
    workflow: Workflow
    created_at: float
    deleting_at: float | None
    finalizers: tuple[str, ...]
    requests: tuple[WireRequest, ...]
    raw_requests: bytes
    status: Status
    shown: dict[str, Json]
    size: int
    work: int
    controller: str = ""

    @property
    def uid(self) -> str:
        return self.workflow.metadata.uid

    @property
    def owner(self) -> Owner:
        """Who owns it, as stored."""
        return Owner(self.status.owner, self.status.epoch)

    @property
    def claimed_by(self) -> str:
        """Who owns it, by its own save: a claim alone is written nowhere, so that an owner of what
        was never saved is none."""
        return self.status.owner if self.status.revision else ""

    @property
    def given_up(self) -> bool:
        """Whether it is to go as it is: nobody's effects are waited for any more."""
        orphan = self.workflow.spec.deletion_policy is DeletionPolicy.ORPHAN
        return orphan and self.deleting_at is not None

    @property
    def head(self) -> WorkflowState:
        """The head as a reader sees it."""
        status = self.status
        if status.revision == 0:
            head = rules.first_head(self.workflow, self.created_at, None)
        else:
            head = WorkflowState(
                **{name: getattr(status, name) for name in SAME},
                conditions=status.remarks,
                answers=tuple(each.plain() for each in status.answers),
            )
        return rules.merged(head, self.owner, self.deleting_at)

    @property
    def steps(self) -> tuple[StepState, ...]:
        """The states by the spec's order."""
        saved = self.status.steps
        return tuple(saved.get(step.name, rules.FRESH) for step in self.workflow.spec.steps)

    def as_placed(self, place: Place) -> "Known":
        """The same save, with what people have changed of the object since."""
        workflow, spec = self.workflow, self.workflow.spec
        policy, ttl = place.deletion_policy, place.row.ttl
        if spec.deletion_policy is not policy or spec.ttl_seconds_after_finished != ttl:
            spec = msgspec.structs.replace(
                spec, deletion_policy=policy, ttl_seconds_after_finished=ttl
            )
            workflow = msgspec.structs.replace(workflow, spec=spec)
        return attrs.evolve(
            self,
            version=place.version,
            generation=place.generation,
            workflow=workflow,
            requests=place.requests,
            deleting_at=place.deleting_at,
        )

    def as_answered(self, body: bytes) -> "Known":
        """The same save, as the API server's answer to it shows the object."""
        placed = self.as_placed(read_place(body))
        return attrs.evolve(placed, size=len(body), work=work_in(body))

    def unanswered(self) -> list[WireRequest]:
        """The requests that no answer names."""
        answered = {answer.id for answer in self.status.answers}
        return [each for each in self.requests if each.id not in answered]

    def asked(self, numbers: Numbers, *, verified: bool = False) -> tuple[Asked, ...]:
        """The unanswered requests, by number; `verified`: the cluster vouches for who made them."""
        numbers.learn(self.requests, self.status.answers, self.status.request_seq)
        found = [_asked(each, numbers.seq(each.id), verified) for each in self.unanswered()]
        return tuple(sorted(found, key=lambda asked: asked.seq))

    def stored(self, numbers: Numbers, *, verified: bool = False) -> Stored:
        """All of it, as `ports.Store.load` gives it."""
        asked = self.asked(numbers, verified=verified)
        return Stored(self.workflow, self.head, self.steps, self.status.outbox, asked)


def read_known(raw: bytes) -> Known:
    """Decode an object. Raises StoreForeign where it can't be read, or is of a newer schema."""
    try:
        return _read(raw)
    except StoreForeign:
        raise
    except Exception as error:
        raise StoreForeign(
            f"an object of the API server is no workflow of ours: {why_unreadable(error)}"
        ) from error


def _read(raw: bytes) -> Known:
    body = read_body(raw)
    meta = body.metadata
    spec = _spec.decode(body.spec)
    requests = _requests.decode(body.spec).requests
    status = read_status(meta.name, bytes(body.status))
    check_version(meta.name, status.schema_version)
    parts = _shown.decode(body.status)
    return Known(
        key=Key(meta.namespace, meta.name),
        version=int(meta.resource_version),
        generation=meta.generation,
        workflow=Workflow(meta.model(), spec),
        created_at=epoch_seconds(meta.creation_timestamp),
        deleting_at=epoch_seconds(meta.deletion_timestamp) if meta.deletion_timestamp else None,
        finalizers=tuple(meta.finalizers or ()),
        requests=requests,
        raw_requests=_raw_requests(bytes(body.spec)),
        status=status,
        shown={name: _json.decode(parts[name]) for name in SHOWN if name in parts},
        size=len(raw),
        work=work_in(raw),
        controller=meta.controller,
    )


class _RawRequests(msgspec.Struct):
    requests: msgspec.Raw = msgspec.Raw(b"null")


_raw = msgspec.json.Decoder(_RawRequests)


def _raw_requests(spec: bytes) -> bytes:
    """The list as it stands, for a patch to test; `null` where there is none."""
    return bytes(_raw.decode(spec).requests)


def _asked(request: WireRequest, seq: int, verified: bool) -> Asked:
    try:
        at = epoch_seconds(request.created_at) if request.created_at else 0.0
    except ValueError:
        at = 0.0  # the schema holds it to be a time; whatever it is, the request counts
    return Asked(seq, request.plain(verified=verified and bool(request.by)), at)
