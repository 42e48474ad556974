"""Faults of admission."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "finished-keep-their-slots",
        "finished workflows count as running",
        (
            Edit("wf_core.admission:Admission.release", "line is not None", "False"),
            Edit(
                "wf_core.admission:Admission.release",
                "self._holding.pop(key, None)",
                "self._holding.get(key)",
            ),
        ),
    ),
    Mutant(
        "no-maximum",
        "more workflows run than `maxRunningCount` allows",
        (
            Edit(
                "wf_core.admission:Admission.next",
                "self._free",
                "1",
            ),
        ),
    ),
    Mutant(
        "no-maximum-of-a-queue",
        "more workflows of a queue run than its own maximum allows",
        (
            Edit(
                "wf_core.admission:_Queue.full",
                "maximum is not None and self.running >= maximum",
                "False",
            ),
        ),
    ),
    Mutant(
        "newest-first",
        "the newest workflow of a queue starts first",
        (
            Edit(
                "wf_core.admission:Admission.offer",
                "-priority, created_at, uid)",
                "-priority, -created_at, uid)",
            ),
        ),
    ),
    Mutant(
        "priority-ignored",
        "priority changes nothing",
        (Edit("wf_core.admission:Admission.offer", "-priority,", "0,"),),
    ),
    Mutant(
        "fullest-queue-first",
        "FAIR prefers the queue that runs most",
        (
            Edit(
                "wf_core.admission:Admission._rank",
                "(line.running + 1) / queue.limits.weight",
                "-(line.running + 1) / queue.limits.weight",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "priority-carries-past-namespaces",
        "a workflow of high priority overtakes those of other namespaces",
        (
            Edit(
                "wf_core.admission:Admission._rank",
                "(tenant.running + 1) / tenant.weight if self._fair else 0.0",
                "float(line.waiting.rank(head)[1]) if head else 0.0",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "namespaces-weigh-nothing",
        "FAIR divides between namespaces without their weights",
        (
            Edit(
                "wf_core.admission:Admission._rank",
                "(tenant.running + 1) / tenant.weight",
                "(tenant.running + 1)",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "no-maximum-of-a-namespace",
        "more workflows of a namespace run than its maximum allows",
        (
            Edit(
                "wf_core.admission:_Tenant.full",
                "self.cap is not None and self.running >= self.cap",
                "False",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "no-slots-left-for-the-next",
        "a namespace takes slots that are kept for the next one",
        (Edit("wf_core.shares:Share.needs", "rest <= 0 or not held", "True"),),
        ("tests/core/admission",),
    ),
    Mutant(
        "undos-without-a-slot-stop-everybody",
        "undos of one namespace that gave their slots back stop every other namespace",
        (Edit("wf_core.admission:Admission._free", " + len(self._slotless)", ""),),
        ("tests/core/admission",),
    ),
    Mutant(
        "undos-without-a-slot-cost-nothing",
        "undos that gave their slots back leave their own namespace free to start more",
        (Edit("wf_core.admission:_Tenant.needs", " + self.slotless", ""),),
        ("tests/core/admission",),
    ),
    Mutant(
        "every-undo-takes-a-slot",
        "an undo of what had no slot takes one from everybody",
        (
            Edit(
                "wf_core.saga.undo:begin",
                "parked=head.parked or head.phase is not Phase.RUNNING",
                "parked=False",
            ),
        ),
        ("tests/core/engine",),
    ),
    Mutant(
        "an-undo-gives-its-slot-back-at-once",
        "undos out of Running hold nobody back, however many they are",
        (
            Edit(
                "wf_core.saga.undo:begin",
                "parked=head.parked or head.phase is not Phase.RUNNING",
                "parked=True",
            ),
        ),
        ("tests/core/engine",),
    ),
    Mutant(
        "last-slots-to-those-who-have",
        "namespaces that come in turn leave less and less, until nothing is left",
        (
            Edit(
                "wf_core.shares:Share.needs",
                "max(limit // _FOR_THE_FIRST, min(limit // _FOR_LITTLE, 2 * held))",
                "0",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "one-at-a-time-for-the-next",
        "whoever comes after a flood gets one slot, though many are free",
        (Edit("wf_core.shares:Share.needs", "min(limit // _FOR_LITTLE, 2 * held)", "0"),),
        ("tests/core/admission",),
    ),
    Mutant(
        "admitted-before-recovery",
        "workflows are admitted before recovery has counted what runs",
        (
            Edit(
                "wf_core.engine.engine:Engine.serve",
                "await self._recover()",
                "self._slots.open()\n        await self._recover()",
            ),
        ),
        ("tests/core/engine",),
    ),
)
