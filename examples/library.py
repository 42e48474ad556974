"""A workflow that is run from a program, with a kind of step of its own."""

from wf_core import StepCall, StepKind, Success, run

DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: greeting}
spec:
  steps:
  - name: first
    stepTemplate: {type: greet}
"""


class Greet(StepKind):
    """Greets, and takes it back."""

    name = "greet"

    def run(self, call: StepCall) -> Success:
        return Success(attributes={"said": f"hello from {call.step}"})

    def rollback(self, call: StepCall) -> None:
        call.log("never mind")


if __name__ == "__main__":
    result = run(DOCUMENT, plugins=[Greet()])
    print(result.head.phase, result.steps[0].attributes["said"])
