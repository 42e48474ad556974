"""`wf graph`: Mermaid and DOT."""

from tests.core.cli.made import Shell, step, workflow

from wf_core.cli.graph import dot, edges, mermaid
from wf_core.model.phases import Phase
from wf_core.model.spec import DependOn

ORDER = workflow(
    step("a"),
    step("b", DependOn("a", Phase.RUNNING, "Ready")),
    step("pay", "b", pivot=True),
    step("mail", "pay", undoable=False),
)


def test_mermaid_shows_steps_conditions_the_pivot_and_what_cannot_be_undone() -> None:
    assert mermaid(ORDER).splitlines() == [
        "flowchart TD",
        '  s0["a<br/>random"]',
        '  s1["b<br/>random"]',
        '  s2{{"pay<br/>random<br/>pivot"}}',
        '  s3["mail<br/>random<br/>can\'t be undone"]',
        '  s0 -->|"Running, resource Ready"| s1',
        "  s1 --> s2",
        "  s0 -.-> s2",
        "  s2 --> s3",
        "  style s3 stroke-dasharray: 4 4",
    ]


def test_dot_shows_the_same() -> None:
    assert dot(ORDER).splitlines() == [
        'digraph "order" {',
        "  node [shape=box];",
        '  "a" [label="a\\nrandom"];',
        '  "b" [label="b\\nrandom"];',
        '  "pay" [label="pay\\nrandom\\npivot", shape=hexagon];',
        '  "mail" [label="mail\\nrandom\\ncan\'t be undone", style=dashed];',
        '  "a" -> "b" [label="Running, resource Ready"];',
        '  "b" -> "pay";',
        '  "a" -> "pay" [style=dotted];',
        '  "pay" -> "mail";',
        "}",
    ]


def test_text_of_the_author_cannot_break_out_of_a_label() -> None:
    odd = workflow(step("a"), step("b", DependOn("a", resource_status='"x\\')))
    assert '|"resource #quot;x\\"|' in mermaid(odd)
    assert 'label="resource \\"x\\\\"' in dot(odd)


def test_an_implied_condition_of_the_pivot_is_left_out_where_another_implies_it() -> None:
    made = workflow(step("a"), step("b", "a"), step("c"), step("pay", "b", pivot=True))
    implied = [(edge.start, edge.to) for edge in edges(made) if edge.implied]
    assert implied == [(2, 3)]


def test_the_command_draws_a_file(shell: Shell) -> None:
    file = shell.file("w.yaml", DOCUMENT)
    assert shell.wf("graph", file).lines[0] == "flowchart TD"
    assert shell.wf("graph", file, "--format", "dot").lines[0] == 'digraph "w" {'


DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata:
  name: w
spec:
  steps:
  - name: one
    stepTemplate: {type: random}
"""
