"""`kubectl wf`: kubectl's words for where, in front of any verb or behind it."""

import pytest

from wf_k8s.cli.kubectl import translate


@pytest.mark.parametrize(
    ("typed", "address", "rest"),
    [
        ("list", "k8s:", "list"),
        ("list -n orders", "k8s:/orders", "list"),
        ("-n orders list", "k8s:/orders", "list"),
        ("list -norders", "k8s:/orders", "list"),
        ("list --namespace=orders", "k8s:/orders", "list"),
        ("list -A", "k8s:/*", "list"),
        ("--context prod -n orders get a -o json", "k8s:prod/orders", "get a -o json"),
        ("--context=prod list", "k8s:prod", "list"),
        ("cancel a --reason=-n", "k8s:", "cancel a --reason=-n"),
        ("signal a -- -n 5", "k8s:", "signal a -- -n 5"),
        ("get --no-color", "k8s:", "get --no-color"),
    ],
)
def test_where_becomes_the_stores_address(typed: str, address: str, rest: str) -> None:
    assert translate(typed.split()).arguments == ("--store", address, *rest.split())


def test_a_kubeconfig_is_taken_out() -> None:
    translated = translate(["--kubeconfig", "other", "list"])
    assert translated.kubeconfig == "other"
    assert translated.arguments == ("--store", "k8s:", "list")


def test_an_option_without_its_value_is_left_for_the_error_message() -> None:
    assert translate(["list", "-n"]).arguments == ("--store", "k8s:", "list", "-n")
