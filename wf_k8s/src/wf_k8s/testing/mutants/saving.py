"""Faults of saves: their tests, their answers, and the finalizer."""

from wf_core.testing.mutants.mutant import Edit, Mutant

_PARTS = ("tests/k8s/test_store_parts.py",)
_FOUND = ("tests/simulation/test_k8s_found.py",)
"""Small worlds of what is rare in large ones."""

MUTANTS = (
    Mutant(
        "k8s-no-uid-test",
        "a save does not test the uid, and may hit another workflow of that name",
        (
            Edit(
                "wf_k8s.store.patch:prepare",
                'test("/metadata/uid", changes.uid),',
                "",
            ),
        ),
        _PARTS,
    ),
    Mutant(
        "k8s-no-epoch-test",
        "a save does not test the epoch",
        (
            Edit(
                "wf_k8s.store.patch:prepare",
                'test("/status/epoch", changes.base_epoch),',
                "",
            ),
        ),
        _PARTS,
    ),
    Mutant(
        "k8s-no-revision-test",
        "a save does not test the revision",
        (
            Edit(
                "wf_k8s.store.patch:prepare",
                'test("/status/revision", changes.base_revision),',
                "",
            ),
        ),
    ),
    Mutant(
        "k8s-no-epoch-and-revision-test",
        "a save tests neither epoch nor revision",
        (
            Edit(
                "wf_k8s.store.patch:prepare",
                'test("/status/epoch", changes.base_epoch),',
                "",
            ),
            Edit(
                "wf_k8s.store.patch:prepare",
                'test("/status/revision", changes.base_revision),',
                "",
            ),
        ),
    ),
    Mutant(
        "k8s-own-save-not-known-again",
        "a save whose answer was lost is taken for refused once its repeat is",
        (
            Edit(
                "wf_k8s.store.saving:_settled",
                "stored.status.save_id == prepared.save_id",
                "False",
            ),
        ),
    ),
    Mutant(
        "k8s-no-answer-is-a-yes",
        "a save whose answer was lost counts as saved",
        (
            Edit(
                "wf_k8s.store.saving:send",
                'log.info("%s: %s", key, error)\n        except RefusedError',
                "return Sent(Saved.SAVED, prepared.after)\n        except RefusedError",
            ),
        ),
    ),
    Mutant(
        "k8s-no-answer-is-a-no",
        "a save whose answer was lost counts as refused",
        (
            Edit(
                "wf_k8s.store.saving:send",
                'log.info("%s: %s", key, error)\n        except RefusedError',
                "return Sent(Saved.LOST)\n        except RefusedError",
            ),
        ),
    ),
    Mutant(
        "k8s-server-error-is-a-no",
        "a save that the API server could not finish counts as refused",
        (
            Edit(
                "wf_k8s.store.saving:send",
                "if error.code == 404:",
                "if error.code in (404, 500):",
            ),
        ),
    ),
    Mutant(
        "k8s-refused-is-a-fault",
        "a save that another owner overtook counts as a fault of ours",
        (Edit("wf_k8s.store.saving:_settled", "if unmoved:", "if True:"),),
    ),
    Mutant(
        "k8s-delivered-come-again",
        "callbacks that were delivered stay in the object",
        (Edit("wf_k8s.store.patch:_outbox", "if entry.seq > delivered", "if True"),),
    ),
    Mutant(
        "k8s-outbox-not-kept",
        "of several callbacks of one save the last is lost",
        (Edit("wf_k8s.store.patch:_outbox", "*changes.outbox)", "*changes.outbox[:1])"),),
    ),
    Mutant(
        "k8s-old-answers-dropped",
        "a request is asked again once its answer is no longer among the last",
        (Edit("wf_k8s.store.patch:_answers", "if old.id in standing:", "if False:"),),
        _PARTS,
    ),
    Mutant(
        "k8s-never-guarded",
        "what kubectl created runs without a finalizer",
        (Edit("wf_k8s.store.guard:to_guard", "not guarded(known)", "False"),),
    ),
    Mutant(
        "k8s-guarded-meanwhile",
        "what another process saved while the finalizer was put on counts as a fault of ours",
        (
            Edit(
                "wf_k8s.store.store:K8sStore._save",
                "# Whoever put it on meanwhile may have saved as well.\n"
                "        answer = refused(changes, known)",
                "answer = None",
            ),
            Edit("wf_k8s.store.finalizer:Finalizer.put_on", "place_of(fresh) != base or ", ""),
        ),
        _FOUND,
    ),
    Mutant(
        "k8s-failed-undo-unguarded",
        "the finalizer goes from a workflow whose undo failed",
        (
            Edit(
                "wf_k8s.store.guard:nothing_left",
                "phase is Phase.ROLL_BACKED",
                "phase in FINISHED",
            ),
        ),
    ),
    Mutant(
        "k8s-success-unguarded",
        "the finalizer goes although deletion is to undo the workflow",
        (
            Edit(
                "wf_k8s.store.guard:nothing_left",
                "policy is not DeletionPolicy.ROLLBACK",
                "True",
            ),
        ),
    ),
    Mutant(
        "k8s-unreported-unguarded",
        "the finalizer goes before all callbacks are delivered",
        (Edit("wf_k8s.store.guard:nothing_left", "if reporting:", "if False:"),),
    ),
    Mutant(
        "k8s-another-finalizer-goes",
        "the patch that takes the finalizer off does not test that it is the one",
        (Edit("wf_k8s.store.guard:take_off", "test(where, FINALIZER), ", ""),),
    ),
    Mutant(
        "k8s-aged-under-anothers-finalizer",
        "what is over age is deleted though it stays, deleted, for a finalizer of somebody else",
        (Edit("wf_k8s.store.expiring:expire", " or guard.held_by_others(known)", ""),),
        _FOUND,
    ),
)
