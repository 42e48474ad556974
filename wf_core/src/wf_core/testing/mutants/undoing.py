"""Faults of the machine on its way back."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "undone-before-dependents",
        "a step is undone while steps that depend on it are not",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.offer_undo",
                "and self.open_dependents[i] == 0",
                "",
            ),
            Edit("wf_core.saga.undo:start", " or ledger.open_dependents[i]", ""),
        ),
    ),
    Mutant(
        "own-policy-overwritten",
        "the workflow's rollbackPolicy wins over the step's own",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.policy_of",
                "self.spec.steps[i].step_template.rollback_policy or ",
                "",
            ),
        ),
    ),
    Mutant(
        "failed-undo-settles",
        "the undo goes on past a step that could not be undone, under PreserveOnFailure too",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.is_settled",
                "step.phase is Phase.ROLL_BACKED",
                "step.phase in (Phase.ROLL_BACKED, Phase.FAILED)",
            ),
        ),
    ),
    Mutant(
        "failed-step-not-undone",
        "a step whose run failed for good counts as undone without a call",
        (
            Edit(
                "wf_core.saga.undo:start",
                "ledger.step_spec(i).rollback is RollbackMode.NONE",
                "ledger.step_spec(i).rollback is RollbackMode.NONE or step.failed",
            ),
        ),
    ),
    Mutant(
        "undo-beside-run",
        "an undo starts while the run of its step goes on",
        (Edit("wf_core.saga.ledger:Ledger.offer_undo", "and i not in self.flights", ""),),
    ),
    Mutant(
        "late-success-counts",
        "a success that comes after the workflow turned back counts",
        (
            Edit(
                "wf_core.saga.run:outcome",
                "ledger.head.phase is not Phase.RUNNING",
                "False",
            ),
        ),
    ),
    Mutant(
        "late-result-dropped",
        "what a run left is not kept for the undo when the workflow has turned back",
        (
            Edit(
                "wf_core.saga.run:_ended_while_undoing",
                "ledger.offer_undo(i)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "dropped-watch-counts",
        "what a watch reports after its workflow turned back is not dropped",
        (Edit("wf_core.saga.machine:Saga._reported", "if flight.dropped:", "if False:"),),
    ),
    Mutant(
        "failed-undo-is-undone",
        "an undo that fails for good counts as done",
        (
            Edit(
                "wf_core.saga.undo:_end_badly",
                "give_up(ledger, i, Undo.FAILED, ending[0].message, now)",
                "undone(ledger, i, Undo.CALLED, now)",
            ),
        ),
    ),
    Mutant(
        "undo-in-progress-is-undone",
        "an undo that is still going counts as done",
        (
            Edit(
                "wf_core.saga.undo:outcome",
                "isinstance(result, Succeeded)",
                "isinstance(result, Succeeded | Progressing)",
            ),
        ),
    ),
    Mutant(
        "failed-undo-never-retried",
        "a person can't try a failed undo again",
        (
            Edit(
                "wf_core.saga.requests:_turn_again",
                "if ledger.head.phase is Phase.FAILED",
                "if False",
            ),
        ),
    ),
    Mutant(
        "skipped-holds-up",
        "an undo that a person skipped still holds up what its step depends on",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.is_settled",
                "step.undo is Undo.SKIPPED or ",
                "",
            ),
        ),
    ),
    Mutant(
        "goes-while-failed",
        "a workflow whose undo failed is removed",
        (
            Edit(
                "wf_core.saga.course:removable",
                "return not any(step.attempt for step in ledger.steps)",
                "return True",
            ),
        ),
    ),
    Mutant(
        "goes-with-callbacks-left",
        "a workflow is removed before its callbacks are delivered",
        (Edit("wf_core.saga.course:removable", "if ledger.outbox:", "if False:"),),
    ),
    Mutant(
        "interrupted-undo-forgotten",
        "an undo that was cut off by a crash is not called again",
        (
            Edit(
                "wf_core.saga.undo:interrupted",
                "attempts.claim_again(ledger, i, UNDO)",
                "undone(ledger, i, Undo.CALLED, now)",
            ),
        ),
    ),
    Mutant(
        "deleted-before-it-began",
        "a workflow that is deleted before its first step never goes",
        (
            Edit(
                "wf_core.saga.course:removable",
                "return head.phase is Phase.ROLL_BACKED",
                "return head.phase is Phase.ROLL_BACKED and any(s.attempt for s in ledger.steps)",
            ),
        ),
    ),
    Mutant(
        "defaults-not-saved",
        "an undo is told the defaults of the version of its kind that is there by then",
        (
            Edit(
                "wf_core.saga.calls:fresh_parameters",
                "saved = difference(given, whole)",
                "saved = difference(given, resolved)",
            ),
        ),
    ),
    Mutant(
        "undo-decodes-the-document",
        "retries, looks and undos read the document again instead of what was saved",
        (
            Edit(
                "wf_core.saga.calls:saved_parameters",
                "merged(given, step.parameters or {})",
                "given",
            ),
        ),
    ),
    Mutant(
        "keys-from-the-uid-of-now",
        "an object that was restored from a backup is undone under other keys than it ran",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._step_call", "uid = saga.key_uid", "uid = metadata.uid"
            ),
        ),
        ("tests/core/engine/test_engine_restored.py",),
    ),
    Mutant(
        "parameters-of-any-size",
        "parameters are saved that do not fit",
        (Edit("wf_core.saga.sizes:parameters_too_large", "ours > MAX_SAVED_PARAMETERS", "False"),),
        ("tests/core/saga/test_saga_saved_parameters.py",),
    ),
)
