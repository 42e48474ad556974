"""Faults of the limits."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "qps-never-throttles",
        "a kind's `qps` throttles nothing",
        (
            Edit(
                "wf_core.limits:_Kind.spend",
                "self.token_at = now + self.period",
                "self.token_at = now",
            ),
            Edit("wf_core.limits:_Kind.spend", "self.token_at - now < self.period", "False"),
        ),
    ),
    Mutant(
        "one-call-too-many",
        "a limit on calls at once lets one more through",
        (
            Edit(
                "wf_core.limits:_Slots.room",
                "self.total >= self.limit",
                "self.total > self.limit",
            ),
            Edit(
                "wf_core.limits:_Slots.room",
                "self.ordinary < self.ordinary_limit",
                "self.ordinary <= self.ordinary_limit",
            ),
        ),
    ),
    Mutant(
        "nothing-kept-for-undos",
        "runs and watches may take the share that is kept for rollbacks",
        (
            Edit(
                "wf_core.limits:reserve",
                "max(1, limit // 10) if limit >= 2 else 0",
                "0",
            ),
        ),
    ),
    Mutant(
        "open-attempts-unlimited",
        "`maxActive` limits nothing",
        (
            Edit(
                "wf_core.limits:_Kind.may_open",
                "self.max_open is None",
                "self.max_open is None or self.open >= 0",
            ),
        ),
        ("tests/core/limits",),
    ),
    Mutant(
        "slot-never-comes-back",
        "a kind's slot is not given back when a call ends",
        (Edit("wf_core.limits:Limits.give", "given.slots.remove(cls)", "pass"),),
    ),
    Mutant(
        "token-nobody-waits-for",
        "nobody is woken when a token comes",
        (
            Edit(
                "wf_core.limits:Limits.next_token_at",
                "return min(times, default=None)",
                "return None",
            ),
        ),
    ),
    Mutant(
        "promise-never-let-go",
        "a permit that was put aside and not taken is lost",
        (
            Edit(
                "wf_core.limits:Limits.settle",
                "if waiter.called and waiter.listed:",
                "if False:",
            ),
        ),
        ("tests/core/limits",),
    ),
    Mutant(
        "waiter-loses-its-place",
        "a holder that goes takes the permits with it that were put aside for it",
        (Edit("wf_core.limits:Limits._leave", "if waiter.called:", "if False:"),),
    ),
    Mutant(
        "permits-lost-with-their-holder",
        "a workflow that is given up keeps its permits",
        (
            Edit(
                "wf_core.engine.permits:WorkflowPermits.abandon",
                "for _ in range(held - calls.get((kind, cls), 0)):",
                "for _ in ():",
            ),
        ),
    ),
    Mutant(
        "recovered-attempts-uncounted",
        "an attempt that was open before a crash is not counted",
        (Edit("wf_core.limits:Limits.reopen", "found.open += 1", "pass"),),
    ),
)
