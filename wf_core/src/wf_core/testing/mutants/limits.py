"""Faults of the limits."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "qps-never-throttles",
        "a kind's `qps` throttles nothing",
        (
            Edit(
                "wf_core.limits.kind:Kind.spend",
                "self.token_at = now + self.period",
                "self.token_at = now",
            ),
            Edit("wf_core.limits.kind:Kind.spend", "self.token_at - now < self.period", "False"),
        ),
    ),
    Mutant(
        "one-call-too-many",
        "a limit on calls at once lets one more through",
        (
            Edit(
                "wf_core.limits.slots:Slots.free",
                "self.limit - self.total",
                "self.limit - self.total + 1",
            ),
            Edit(
                "wf_core.limits.slots:Slots.free",
                "self.ordinary_limit - self.ordinary",
                "self.ordinary_limit - self.ordinary + 1",
            ),
        ),
    ),
    Mutant(
        "nothing-kept-for-undos",
        "runs and watches may take the share that is kept for rollbacks",
        (
            Edit(
                "wf_core.limits.slots:reserve",
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
                "wf_core.limits.kind:Kind.may_open",
                "return free > 0",
                "return True",
            ),
        ),
        ("tests/core/limits",),
    ),
    Mutant(
        "slot-never-comes-back",
        "a kind's slot is not given back when a call ends",
        (
            Edit(
                "wf_core.limits.permits:Limits.give", "given.slots.change(cls, tenant, -1)", "pass"
            ),
        ),
    ),
    Mutant(
        "token-nobody-waits-for",
        "nobody is woken when a token comes",
        (
            Edit(
                "wf_core.limits.permits:Limits.next_token_at",
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
                "wf_core.limits.permits:Limits.settle",
                "if waiter.called and waiter.listed:",
                "if False:",
            ),
        ),
        ("tests/core/limits",),
    ),
    Mutant(
        "waiter-loses-its-place",
        "a holder that goes takes the permits with it that were put aside for it",
        (Edit("wf_core.limits.permits:Limits._leave", "if waiter.called:", "if False:"),),
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
        (Edit("wf_core.limits.permits:Limits.reopen", "found.count_open(tenant, 1)", "pass"),),
    ),
    Mutant(
        "one-namespace-takes-all-permits",
        "a namespace takes permits that are kept for the next one",
        (
            Edit(
                "wf_core.limits.slots:Slots.room",
                "self._needs(cls, tenant) <= free",
                "True",
            ),
            Edit(
                "wf_core.limits.kind:Kind.may_open",
                "THREE_FIFTHS.needs(self.opened[tenant], self.max_open - kept) <= free",
                "True",
            ),
        ),
        ("tests/core/limits/test_limits.py",),
    ),
    Mutant(
        "no-turns-between-namespaces",
        "who asked first is served first, whatever its namespace was served before",
        (
            Edit(
                "wf_core.limits.permits:Limits._turn_over",
                "self._served[waiter.cls, waiter.tenant] = self._seq",
                "return",
            ),
        ),
        ("tests/core/limits/test_limits.py",),
    ),
    Mutant(
        "memory-for-everybody",
        "a workflow is driven whether or not there is memory for it",
        (Edit("wf_core.engine.room:Room._fits", "2 * weight <= free", "True or free"),),
        ("tests/core/engine/test_room.py",),
    ),
    Mutant(
        "memory-never-given-back",
        "a workflow that ends keeps the memory that it took",
        (Edit("wf_core.engine.room:Room.leave", "self._count(key, 0)", "pass"),),
        ("tests/core/engine/test_room.py",),
    ),
    Mutant(
        "memory-for-the-first-namespace",
        "one namespace may take all the memory that there is",
        (Edit("wf_core.engine.room:Room._fits", "weight + keeps", "weight"),),
        ("tests/core/engine/test_room.py",),
    ),
    Mutant(
        "memory-not-asked-for-when-looked-at",
        "what waits for memory is read and decoded at every look",
        (Edit("wf_core.engine.noticing:Noticing._see_new", "self._room.check(key)", "pass"),),
        ("tests/core/engine/test_engine_memory.py",),
    ),
)
