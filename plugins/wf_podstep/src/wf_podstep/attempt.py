"""One look at one attempt: moves until something has to be waited for, or is over."""

from datetime import UTC, datetime

import attrs

from wf_core.errors import StoreUnavailable
from wf_core.kinds import (
    Answer,
    Fatal,
    InProgress,
    Retryable,
    StepCall,
    Success,
    Throttled,
)
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Parameters
from wf_core.model.state import MESSAGE, Resource
from wf_k8s.client.errors import RefusedError
from wf_podstep import manifest, planning, results
from wf_podstep.cluster import Place
from wf_podstep.containers import started
from wf_podstep.inputs import inputs
from wf_podstep.names import Identity
from wf_podstep.outcomes import judge, vanished
from wf_podstep.parameters import PodParameters, Rollback
from wf_podstep.refusals import Refusal, refusal
from wf_podstep.results import BadResultError
from wf_podstep.retention import outdated
from wf_podstep.seen import Pod
from wf_podstep.starting import look_at_start
from wf_podstep.verdicts import Done, Failed, Going, Verdict
from wf_podstep.weights import Weight

MOVES = 10
"""Moves of one look: each answers a change that came in between, so few are ever needed."""

REFUSED = "Refused"
"""Status of what a run saved that never had a pod: the API server refuses it for good."""

GONE_PLACES = ("NamespaceTerminating", "NoNamespace")
"""Refusals after which nothing can be created there late either."""

LOG_LINES = 100
"""Lines from the end of a log among which the result is."""

AGAIN = 5.0
LONGEST = 60.0
"""Seconds until a pod that came to nothing by no fault of its own is replaced: the first time, and
the most, doubling."""


class Attempt:
    """The attempt that a call is about. `accounts`: the service accounts it may use (None: any)."""

    def __init__(self, call: StepCall, place: Place, accounts: tuple[str, ...] | None) -> None:
        self._call = call
        self._place = place
        self._accounts = accounts
        self._parameters: PodParameters = call.parameters
        self._undoes = call.purpose is Purpose.ROLLBACK
        self._identity = Identity.of(call, place.namespace)
        saved = call.previous.resource
        ours = saved is not None and saved.name == self._identity.name
        self._saved = saved if ours and saved is not None else Resource()

    def go_on(self) -> Answer:
        """Make moves. Gives or raises what the hook does."""
        for _ in range(MOVES):
            answer = self._answer_to(self._move())
            if answer is not None:
                return answer
        return self._without_pod("Changing", "its pods are being changed all the time")

    def _move(self) -> planning.Move:
        call = self._call
        pods = self._pods()
        replaced = str(self._saved.attributes.get("replaced", ""))
        known = planning.Known(created=bool(self._saved.id), replaced=replaced)
        if not self._undoes:
            return planning.forward(pods, call.attempt, known)
        return planning.backward(pods, call.run_attempt, call.attempt, known, calls=self._calls)

    def _pods(self) -> list[Pod]:
        """The pods of this step. One that came by other labels to be among them is not: its name
        says which attempt it is for."""
        call, own = self._call, self._identity
        return [
            pod
            for pod in self._place.cache.of_step(call.uid, call.step, call.wake)
            if pod.name == own.of_hook(Hook.RUN if pod.runs else Hook.ROLLBACK, pod.attempt).name
        ]

    @property
    def _calls(self) -> bool:
        return isinstance(self._parameters.rollback, Rollback)

    def _answer_to(self, move: planning.Move) -> Answer:
        """What the hook answers; None where another move follows."""
        match move:
            case planning.Refuse():
                raise Fatal("this run came after the undo of its step began, and was refused")
            case planning.Nothing():
                return self._undone(Resource("Undone"))
            case planning.End(pods):
                self._place.end(list(pods))
                named = ", ".join(pod.name for pod in pods)
                return self._without_pod("Ending", f"waits for pod {named} to end")
            case planning.Bury(attempts):
                return self._bury(attempts)
            case planning.Create():
                return self._create()
            case planning.Judge(pod):
                return self._judge(pod)
            case planning.Vanished():
                if self._refound():
                    return None
                call = self._call
                last = self._place.cache.last_of(call.uid, call.step, self._identity.name)
                policy = self._parameters.pod_failure_policy
                return self._meaning(vanished(self._identity.name, last, policy), last)

    # Moves

    def _bury(self, attempts: tuple[int, ...]) -> Answer:
        for attempt in attempts:
            identity = self._identity.run(attempt)
            document = manifest.tombstone(identity, in_cluster=self._place.cluster.in_cluster)
            try:
                if self._place.create(document) is None:
                    self._adopt(identity)
            except RefusedError as error:
                refused = refusal(error, self._place.namespace)
                if refused.reason in GONE_PLACES and (not self._calls or self._never_ran):
                    return self._undone(Resource("Undone"))
                return self._refused(refused)
        return None

    def _create(self) -> Answer:
        call = self._call
        document = manifest.pod(
            self._identity,
            self._parameters,
            inputs(call),
            in_cluster=self._place.cluster.in_cluster,
        )
        forbidden = self._forbidden(manifest.service_account(document))
        if forbidden is not None:
            return self._refused(forbidden)
        pods = self._pods()
        self._place.end(outdated(pods, call.attempt, runs=not self._undoes))
        # That this attempt was begun says that what became of those before it is saved.
        self._place.release([pod for pod in pods if pod.over])
        if call.cancelled.is_set():
            raise Retryable("it was told to stop before its pod was created")
        try:
            if self._place.create(document) is None:
                self._adopt(self._identity)
        except RefusedError as error:
            return self._refused(refusal(error, self._place.namespace))
        return None

    def _forbidden(self, account: str) -> Refusal | None:
        """That a service account is not among those that may be used."""
        if self._accounts is None or account in self._accounts:
            return None
        allowed = ", ".join(self._accounts) or "none"
        sentence = (
            f"the service account '{account}' may not be used by pod steps here (allowed: "
            f"{allowed}); whoever runs the controller decides that"
        )
        return Refusal("ServiceAccountNotListed", Weight.FATAL, sentence)

    @property
    def _never_ran(self) -> bool:
        """Whether every attempt to run is known to have been refused its pod."""
        saved = self._call.previous.resource
        buried = all(pod.tombstone for pod in self._pods() if pod.runs)
        return saved is not None and saved.status == REFUSED and buried

    def _adopt(self, identity: Identity) -> None:
        """A pod of that name may be there: take it if it is that attempt's."""
        pod = self._place.find(identity.name)
        if pod is None:
            return
        if self._unlabelled(pod, identity):
            self._label(pod, identity)
            return
        if not identity.matches(pod.metadata.labels):
            raise Fatal(
                f"a pod {identity.name} is there that is not this step's, by its labels; "
                f"look at it, and delete it if it may go: "
                f"`kubectl -n {identity.namespace} delete pod {identity.name}`"
            )
        self._place.adopt(pod)

    def _refound(self) -> bool:
        """Whether the pod that seems to be gone is there all the same, without its labels."""
        pod = self._place.find(self._identity.name)
        if pod is None or pod.uid != self._saved.id:
            return False
        self._label(pod, self._identity)
        return True

    def _unlabelled(self, pod: Pod, identity: Identity) -> bool:
        """Whether a pod is that attempt's and somebody took labels off."""
        saved = self._call.previous.resource
        known = pod.held or (saved is not None and saved.id == pod.uid)
        return known and identity.lacks(pod.metadata.labels)

    def _label(self, pod: Pod, identity: Identity) -> None:
        in_cluster = self._place.cluster.in_cluster
        labels = manifest.labels(identity, self._parameters, in_cluster=in_cluster)
        self._place.adopt_unlabelled(pod, labels)

    def _judge(self, pod: Pod) -> Answer:
        created = pod.metadata.creation_timestamp
        age = (datetime.now(UTC) - created).total_seconds() if created is not None else 0.0
        limit = self._parameters.start_deadline_seconds
        verdict = judge(pod, self._parameters.pod_failure_policy, age, limit)
        answer = self._meaning(verdict, pod)
        if isinstance(answer, InProgress) and answer.poll_after is None and not started(pod):
            return attrs.evolve(answer, poll_after=look_at_start(age, limit))
        return answer

    # Answers

    def _meaning(self, verdict: Verdict, pod: Pod | None) -> Answer:
        match verdict:
            case Going(status, why):
                assert pod is not None
                return InProgress(resource=self._resource(pod, status, why))
            case Done(message):
                assert pod is not None
                return self._done(pod, message)
            case Failed(reason, Weight.IGNORED, sentence):
                return self._replace(pod, reason, sentence)
            case Failed(_, weight, sentence):
                self._leave()
                if weight is Weight.FATAL:
                    raise Fatal(sentence)
                raise Retryable(sentence)

    def _done(self, pod: Pod, message: str) -> Answer:
        resource = self._resource(pod, "Succeeded", "")
        if self._undoes:
            return self._undone(resource)
        try:
            attributes = self._attributes(pod, message)
        except BadResultError as error:
            raise Fatal(f"pod {pod.name} succeeded, but {error}") from error
        except RefusedError as error:
            if not error.passing:
                raise Fatal(
                    f"pod {pod.name} succeeded, but its log can't be read for its result: {error}"
                ) from error
            return self._later(pod, error)
        except StoreUnavailable as error:
            return self._later(pod, error)
        self._leave()
        return Success(resource, attributes)

    def _later(self, pod: Pod, error: StoreUnavailable) -> Answer:
        """It must not run again for want of its result."""
        return InProgress(AGAIN, self._resource(pod, "Succeeded", f"its log is awaited: {error}"))

    def _attributes(self, pod: Pod, message: str) -> Parameters | None:
        if self._parameters.result_from == "log":
            return results.of_log(self._place.log_of(pod, LOG_LINES))
        return results.of_message(message)

    def _undone(self, resource: Resource) -> Answer:
        self._leave()
        return Success(resource)

    def _replace(self, pod: Pod | None, reason: str, sentence: str) -> Answer:
        """It came to nothing by no fault of its own: another takes its name, after a while, in the
        same attempt and under the same key."""
        times = int(self._saved.attributes.get("replacements", 0)) + 1
        self._call.log(f"{sentence}; it is replaced")
        if pod is not None:
            self._place.ask_end(pod)
        self._leave()
        attributes = {
            "replacements": times,
            "replaced": pod.uid if pod is not None else "",
            MESSAGE: sentence,
        }
        resource = Resource(reason, name=self._identity.name, attributes=attributes)
        return InProgress(min(LONGEST, AGAIN * 2.0 ** min(times - 1, 10)), resource)

    def _refused(self, refused: Refusal) -> Answer:
        """It could not be created. A look must not end the attempt for what passes."""
        match refused.weight:
            case Weight.FATAL if self._undoes and self._never_ran:
                # What refused the run refuses its undo too, and there is nothing to undo.
                return self._undone(Resource("Undone", attributes={MESSAGE: "its run never began"}))
            case Weight.FATAL:
                self._leave()
                if not self._undoes and self._call.previous.resource is None:
                    self._call.checkpoint(Resource(REFUSED, name=self._identity.name))
                raise Fatal(refused.sentence)
            case Weight.COUNTED:
                self._leave()
                raise Retryable(refused.sentence)
        if self._call.hook is not Hook.SYNC:
            raise Throttled(refused.sentence, refused.after)
        answer = self._without_pod(refused.reason, refused.sentence)
        return attrs.evolve(answer, poll_after=refused.after)

    def _without_pod(self, status: str, message: str) -> InProgress:
        """In progress without a pod of this attempt, which is to be made later."""
        if self._saved.id:
            return InProgress()  # it was created, and is not forgotten over what is done meanwhile
        kept = {
            key: value
            for key, value in self._saved.attributes.items()
            if key in ("replacements", "replaced")
        }
        attributes = {**kept, MESSAGE: message}
        return InProgress(
            resource=Resource(status, name=self._identity.name, attributes=attributes)
        )

    def _resource(self, pod: Pod, status: str, message: str) -> Resource:
        attributes: Parameters = {"namespace": pod.metadata.namespace}
        if pod.spec.node_name:
            attributes["node"] = pod.spec.node_name
        if "replacements" in self._saved.attributes:
            attributes["replacements"] = self._saved.attributes["replacements"]
        if message:
            attributes[MESSAGE] = message
        return Resource(status, pod.uid, pod.name, pod.status.pod_ip, attributes)

    def _leave(self) -> None:
        self._place.cache.leave(self._call.uid, self._call.step)
