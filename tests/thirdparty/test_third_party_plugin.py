"""A plugin of somebody else, installed with pip: its kind is found, shown and runs, and a broken
plugin beside it takes nobody down."""

import json
from pathlib import Path

import pytest
from tests.thirdparty.fresh_environment import Environment

pytestmark = pytest.mark.slow

IMPORT_ERROR = "ImportError: libshatter.so.3: cannot open shared object file"


def document(kind: str, parameters: str = "{}") -> str:
    return f"""\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {{name: party}}
spec:
  steps:
  - name: invite
    stepTemplate: {{type: {kind}, parameters: {parameters}}}
"""


def test_its_kind_is_listed_with_its_distribution_and_version(fresh: Environment) -> None:
    listed = fresh.run("wf", "kinds")
    assert listed.returncode == 0, listed.stderr
    assert [line.split(maxsplit=3) for line in listed.stdout.splitlines()] == [
        ["KIND", "FROM", "DESCRIPTION"],
        ["greet", "wf-greeting", "1.2.0", "Greets somebody on a card."],
    ]


def test_its_parameters_are_shown_with_types_defaults_and_descriptions(fresh: Environment) -> None:
    shown = fresh.run("wf", "kinds", "show", "greet")
    assert shown.returncode == 0, shown.stderr
    head, table = shown.stdout.split("\n\n")
    assert head == (
        "greet (wf-greeting 1.2.0)\n"
        "Greets somebody on a card.\n"
        "It has no sync: it can't look at what it made."
    )
    assert table == (
        "PARAMETER  TYPE           DEFAULT     DESCRIPTION\n"
        "who        text           (required)  Who is greeted.\n"
        "card       text           (required)  The file that the greeting is written to.\n"
        'word       text           "hello"     How one begins.\n'
        "times      whole number   1           How often it is said.\n"
        "loudness   number         0.5         From 0 to 1.\n"
        "allCaps    true or false  false       In capital letters.\n"
        "also       list of text   []          Who is greeted too.\n"
    )


def test_its_schema_is_part_of_the_document_s_schema(fresh: Environment) -> None:
    shown = fresh.run("wf", "kinds", "show", "greet", "-o", "json")
    parameters = json.loads(shown.stdout)["parameters"]
    assert parameters["required"] == ["who", "card"]
    assert parameters["properties"]["times"]["default"] == 1
    schema = fresh.run("wf", "schema")
    assert "Who is greeted." in schema.stdout


def test_plugins_are_listed_and_the_broken_one_is_named(fresh: Environment) -> None:
    listed = fresh.run("wf", "plugins", "-o", "json")
    assert listed.returncode == 0, listed.stderr
    plugins = {each["name"]: each for each in json.loads(listed.stdout)["items"]}
    greeting, broken = plugins["greeting"], plugins["broken"]
    assert (greeting["distribution"], greeting["version"]) == ("wf-greeting", "1.2.0")
    assert (greeting["status"], greeting["kinds"]) == ("loaded", ["greet"])
    assert (broken["distribution"], broken["version"]) == ("wf-broken", "0.3.1")
    assert broken["status"] == "failed"
    assert IMPORT_ERROR in broken["problem"]
    table = fresh.run("wf", "plugins")
    assert "greeting  wf-greeting   1.2.0    loaded  greet" in table.stdout
    assert "wf-broken" in table.stderr


def test_a_check_of_the_plugins_fails_where_one_is_broken(fresh: Environment) -> None:
    checked = fresh.run("wf", "plugins", "--check")
    assert checked.returncode == 1
    assert "wf-broken" in checked.stderr


def test_a_workflow_with_its_kind_runs_and_its_observer_is_told(
    fresh: Environment, tmp_path: Path
) -> None:
    parameters = f"{{who: Ada, also: [Alan], card: {tmp_path / 'card'}, allCaps: 'true', times: 2}}"
    (tmp_path / "party.yaml").write_text(document("greet", parameters))
    book = tmp_path / "book"
    ran = fresh.run(
        "wf", "run", "party.yaml", "-o", "json", cwd=tmp_path, env={"GREETING_BOOK": str(book)}
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "card").read_text() == "HELLO ADA AND ALAN\nHELLO ADA AND ALAN\n"
    status = json.loads(ran.stdout)["status"]
    assert status["phase"] == "Success"
    assert status["attributes"] == {"said": "HELLO ADA AND ALAN\nHELLO ADA AND ALAN"}
    assert status["steps"]["invite"]["kind"] == "wf-greeting 1.2.0"
    assert book.read_text() == "party invite Success\n"


def test_a_wrong_parameter_of_its_kind_is_a_fault_of_the_document(
    fresh: Environment, tmp_path: Path
) -> None:
    (tmp_path / "party.yaml").write_text(document("greet", "{who: Ada, card: c, times: often}"))
    ran = fresh.run("wf", "run", "party.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    assert (
        "wf: error: party.yaml: $.spec.steps[0].stepTemplate.parameters.times: "
        "give a whole number, not the text 'often' (line 7, column 72)\n"
    ) in ran.stderr


def test_seed_fault_03_a_kind_of_a_broken_plugin_is_an_error_that_names_it(
    fresh: Environment, tmp_path: Path
) -> None:
    (tmp_path / "party.yaml").write_text(document("shatter"))
    ran = fresh.run("wf", "run", "party.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    (error,) = [line for line in ran.stderr.splitlines() if line.startswith("wf: error: ")]
    assert "$.spec.steps[0].stepTemplate.type" in error
    assert "'shatter'" in error
    assert "wf-broken" in error
    assert IMPORT_ERROR in error
