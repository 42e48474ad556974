"""C4: what hooks print and log under the controller is in its log, where `wf logs` says it is."""

from pathlib import Path

from tests.k8s.child_plugin import install
from tests.k8s.controller_process import Controllers, await_phase
from tests.k8s.crd_objects import Sagas, step, workflow

from wf_core.model.spec import Key
from wf_k8s.store.logbook import elsewhere

MODULE = """
import logging, sys
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

class Chatty(StepKind):
    name = "chatty"
    def run(self, call):
        print("printed", 1)
        print("to stderr", file=sys.stderr)
        logging.getLogger("somebody.elses").info("at %s", "info")
        call.logger.warning("of the kind")
    def rollback(self, call): pass

@hookimpl
def wf_step_kinds():
    return [Chatty()]
"""


def test_c4_what_a_hook_prints_and_logs_is_in_the_controllers_log(
    sagas: Sagas, controllers: Controllers, tmp_path: Path
) -> None:
    controllers.environment = install(tmp_path, "chatty", MODULE)
    leader = controllers.leader()
    sagas.create(workflow(step("a", stepTemplate={"type": "chatty"})))
    await_phase(sagas, "Success")
    key = Key(sagas.namespace, "order")
    leader.await_said("of the kind")
    said = [each["message"] for each in leader.lines() if each["logger"] == "wf.hooks"]
    assert said == [
        f"{key}/a run: printed 1",
        f"{key}/a run: to stderr",
        f"{key}/a run: INFO somebody.elses: at info",
        f"{key}/a run: WARNING wf.kind.chatty: of the kind",
    ]
    # Nothing of it stands between the lines, where no reader of JSON finds it.
    assert len(leader.lines()) == len(leader.log.read_text().splitlines())
    assert "`kubectl logs` of the controller has that of" in str(elsewhere(key))
