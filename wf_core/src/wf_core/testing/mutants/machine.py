"""Faults of the machine on its way forward."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "step-starts-with-upstream",
        "a step starts once what it depends on has begun, whatever phase it waits for",
        (Edit("wf_core.saga.ledger:Ledger._reach", "if awaited is phase:", "if True:"),),
    ),
    Mutant(
        "status-ignored",
        "a step starts although `resourceStatus` does not hold",
        (Edit("wf_core.saga.run:start", "statuses.lacking(ledger, i)", "[]"),),
    ),
    Mutant(
        "success-over-steps-begun",
        "success is judged over the steps that have begun, not over those specified",
        (
            Edit(
                "wf_core.saga.course:finish",
                "ledger.count[Phase.SUCCESS] == total",
                "ledger.count[Phase.SUCCESS] + ledger.count[Phase.PENDING] == total",
            ),
        ),
    ),
    Mutant(
        "one-retry-too-many",
        "a used-up retry limit is followed by one more attempt",
        (
            Edit(
                "wf_core.saga.attempts:try_later",
                "side.limit(policy) < failures",
                "side.limit(policy) + 1 < failures",
            ),
        ),
    ),
    Mutant(
        "throttled-counts",
        "a call that was throttled is counted against the retry limit",
        (
            Edit(
                "wf_core.saga.attempts:try_later",
                "failure.severity is Severity.THROTTLED",
                "False",
            ),
        ),
    ),
    Mutant(
        "retry-at-once",
        "a retry does not wait for its time",
        (
            Edit(
                "wf_core.saga.attempts:plan",
                'ledger.timers.set(i, "attempt", at)',
                'ledger.timers.set(i, "attempt", 0.0)',
            ),
        ),
    ),
    Mutant(
        "interruptions-uncounted",
        "a hook that kills its process is called again for ever",
        (
            Edit(
                "wf_core.saga.attempts:begin_again",
                "step.interruptions + 1",
                "step.interruptions",
            ),
        ),
    ),
    Mutant(
        "reissued-anyway",
        "an interrupted run is called again although its kind says that it must not be",
        (Edit("wf_core.saga.run:interrupted", "not kind.reissue", "False"),),
    ),
    Mutant(
        "errors-never-clear",
        "a step keeps the error of an earlier attempt in Success",
        (Edit("wf_core.saga.run:succeed", ", run_error=None", ""),),
    ),
    Mutant(
        "suspended-goes-on",
        "a suspended workflow starts runs",
        (
            Edit(
                "wf_core.saga.machine:Saga._serve",
                "if not head.suspended and not head.parked:",
                "if True:",
            ),
        ),
    ),
    Mutant(
        "person-keeps-the-slot",
        "a workflow that waits for nothing but a person's answer keeps its slot",
        (Edit("wf_core.saga.ledger:Ledger._count_blocked", " or step.waits_for_person", ""),),
    ),
    Mutant(
        "looking-for-an-answer-needs-a-slot",
        "the look at what waits for a person takes a slot again",
        (
            Edit(
                "wf_core.saga.course:wholly_blocked",
                "flight.hook is Hook.SYNC and ledger.steps[i].waits_for_person",
                "False",
            ),
        ),
    ),
    Mutant(
        "person-waited-for-for-ever",
        "an attempt that has ended still counts as one that waits for a person",
        (Edit("wf_core.saga.ledger:Ledger.end_attempt", "waits_for_person=False,", ""),),
    ),
    Mutant(
        "jitter-beyond-the-maximum",
        "a retry waits longer than `maxPeriodSeconds`",
        (
            Edit(
                "wf_core.saga.backoff:retry_delay",
                "min(delay * (1 + JITTER), most)",
                "delay * (1 + JITTER)",
            ),
        ),
        ("tests/core/saga/test_saga_parts.py",),
    ),
    Mutant(
        "pivot-commits-nothing",
        "the pivot's Success does not commit the workflow",
        (Edit("wf_core.saga.run:succeed", "i == ledger.graph.pivot", "False"),),
    ),
    Mutant(
        "cancelled-past-the-pivot",
        "a committed workflow can be cancelled",
        (Edit("wf_core.saga.requests:_cancel", "head.committed", "False"),),
    ),
    Mutant(
        "unknown-pivot-undone",
        "a pivot that has not said how it ended is undone",
        (
            Edit(
                "wf_core.saga.run:pivot_unknown",
                "pivot is None or ledger.head.committed",
                "pivot is None or pivot >= 0",
            ),
        ),
    ),
    Mutant(
        "timeouts-ignored",
        "a hook whose time is over is not asked to stop",
        (
            Edit(
                "wf_core.saga.machine:Saga._fire",
                "stop(ledger, i)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "failure-pauses-nothing",
        "`onFailure: Pause` rolls back",
        (
            Edit(
                "wf_core.saga.run:fail",
                "ledger.spec.on_failure is OnFailure.PAUSE",
                "False",
            ),
        ),
    ),
    Mutant(
        "wait-after-clock-jump",
        "a saved wait is not clamped to its period when the clock has jumped",
        (
            Edit(
                "wf_core.saga.recovery:_waits",
                "if step.next_attempt_at > latest:",
                "latest = step.next_attempt_at\n    if False:",
            ),
        ),
        ("tests/core/saga",),
    ),
    Mutant(
        "request-answered-twice",
        "a request that is seen again is answered again",
        (
            Edit(
                "wf_core.saga.machine:Saga._fold",
                "if not waiting and not answered:",
                "if not waiting:",
            ),
            Edit("wf_core.engine.runner:Runner.ask", "asked.seq > self.last_request", "True"),
        ),
    ),
    Mutant(
        "answer-forgotten",
        "a request is applied and its answer not told to the store",
        (Edit("wf_core.saga.ledger:Ledger.answer", "self._answered.append(answer.seq)", "pass"),),
    ),
    Mutant(
        "attributes-of-others",
        "what a step reads of its ancestors' attributes resolves in the wrong order",
        (
            Edit(
                "wf_core.saga.ancestry:upstream_values",
                "attributes.update(steps[at].attributes)",
                "attributes = {**steps[at].attributes, **attributes}",
            ),
        ),
    ),
    Mutant(
        "watch-never-armed-again",
        "nobody looks at a step in Success after a restart",
        (Edit("wf_core.saga.recovery:recover", "watch.rearm(ledger, now)", "pass"),),
    ),
    Mutant(
        "damaged-states-run",
        "a state in which a step waits for ever is run like any other",
        (Edit("wf_core.saga.table:check_together", "or perhaps_ran", "and perhaps_ran"),),
        ("tests/core/saga",),
    ),
    Mutant(
        "in-progress-forgotten",
        "recovery does not look at what was left in progress",
        (Edit("wf_core.saga.recovery:_waits", "ledger.offer_look(i)", "pass"),),
    ),
    Mutant(
        "looks-without-a-pause",
        "a look follows another at once where its kind asks for that",
        (
            Edit(
                "wf_core.saga.backoff:poll_delay",
                "return max(poll_after, LEAST_LOOK)",
                "return max(poll_after, 0.0)",
            ),
        ),
    ),
    Mutant(
        "a-wake-spins",
        "a wake that comes during a look starts the next one at once",
        (
            Edit(
                "wf_core.saga.look:schedule_look",
                "ledger.next_look[i] = now + LEAST_LOOK",
                "pass",
            ),
        ),
    ),
    Mutant(
        "no-floor-of-retries",
        "a retry comes sooner than the operator's floor",
        (
            Edit(
                "wf_core.saga.attempts:policy_of",
                "if not floor:",
                "if True:",
            ),
        ),
    ),
    Mutant(
        "maximum-below-the-floor",
        "a maximum period below the operator's floor makes retries come sooner",
        (
            Edit(
                "wf_core.saga.attempts:policy_of",
                "max(policy.max_period_seconds, floor)",
                "policy.max_period_seconds",
            ),
        ),
    ),
)
