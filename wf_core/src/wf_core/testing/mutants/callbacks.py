"""Faults of callbacks and their courier."""

from wf_core.testing.mutants.mutant import Edit, Mutant

_VERDICT = ("tests/core/callbacks",)

MUTANTS = (
    Mutant(
        "sent-before-the-save",
        "a callback is sent before the state that it reports is saved",
        (
            Edit(
                "wf_core.engine.runner:Runner._save",
                "answer = await self._services.store.save(self.key, changes)",
                "self._offer(delta.outbox)\n    import asyncio; await asyncio.sleep(0.001)\n"
                "    answer = await self._services.store.save(self.key, changes)",
            ),
        ),
    ),
    Mutant(
        "outbox-left-by-a-crash",
        "callbacks that a crash left behind are not sent",
        (
            Edit(
                "wf_core.engine.runner:Runner.__init__",
                "self._offer(stored.outbox)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "retry-is-delivered",
        "a callback that is to be repeated counts as delivered",
        (
            Edit(
                "wf_core.engine.courier:_Line._deliver",
                "receipt.result is Delivered.RETRY",
                "False",
            ),
            Edit(
                "wf_core.engine.courier:_Line._work",
                "receipt.result is not Delivered.DELIVERED",
                "receipt.result is Delivered.DROPPED",
            ),
        ),
    ),
    Mutant(
        "drops-uncounted",
        "callbacks that were given up are not counted",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.settle_callback",
                "+ int(dropped)",
                "",
            ),
        ),
    ),
    Mutant(
        "newest-callback-first",
        "the newest callback goes first",
        (
            Edit(
                "wf_core.engine.courier:_Line._work",
                "entry = self._waiting[0]",
                "self._waiting.rotate(1)\n        entry = self._waiting[0]",
            ),
        ),
    ),
    Mutant(
        "other-id-on-repeat",
        "a callback's id changes from attempt to attempt",
        (
            Edit(
                "wf_core.callbacks.body:event_id",
                "entry.seq",
                "entry.seq + 1",
            ),
        ),
    ),
    Mutant(
        "old-phase-told",
        "a callback tells of another phase than the one it was saved with",
        (
            Edit(
                "wf_core.engine.reporting:deliveries",
                "body=body(saved(), entry)",
                "body=body(saved(), type(entry)(entry.seq, saved().head.phase, 0.0, entry.step))",
            ),
        ),
    ),
    Mutant(
        "transition-unreported",
        "a step's Success is not put into the outbox",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.move",
                "self.report(to, now, name)",
                "to is Phase.SUCCESS or self.report(to, now, name)",
            ),
        ),
    ),
    Mutant(
        "forbidden-is-repeated",
        "a callback that is refused for good is repeated as a failing receiver's",
        (
            Edit(
                "wf_core.callbacks.verdict:judge",
                "or status >= 500",
                "or status >= 400",
            ),
        ),
        _VERDICT,
    ),
    Mutant(
        "not-found-is-dropped",
        "404 does not count as delivered although `ignoreNotFound` says so",
        (
            Edit(
                "wf_core.callbacks.verdict:judge",
                " and ignore_not_found",
                " and False",
            ),
        ),
        _VERDICT,
    ),
    Mutant(
        "any-address-called",
        "a host that the operator does not allow is called",
        (
            Edit(
                "wf_core.callbacks.http:HttpSender.send",
                "if not host_allowed(host, self._allowed):",
                "if False:",
            ),
        ),
        _VERDICT,
    ),
)
