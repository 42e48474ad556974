"""`kubectl wf`: kubectl runs whatever is called `kubectl-wf` on the path.

`kubectl wf list` is `wf --store k8s: list`; kubectl's own ways to say where are understood.
"""

import os
import sys
from collections.abc import Sequence

import attrs

VALUED = {
    "--context": "context",
    "--namespace": "namespace",
    "-n": "namespace",
    "--kubeconfig": "kubeconfig",
}
EVERYWHERE = ("-A", "--all-namespaces")


@attrs.frozen
class Translated:
    """What `wf` is given, and the kubeconfig that was named."""

    arguments: tuple[str, ...]
    kubeconfig: str | None = None


def translate(arguments: Sequence[str]) -> Translated:
    """kubectl's options to the store's address; all else is left to `wf`."""
    found: dict[str, str] = {}
    rest: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
            break
        if word in EVERYWHERE:
            found["namespace"] = "*"
        elif name in VALUED and (equals or left):
            found[VALUED[name]] = value if equals else left.pop(0)
        elif name == "-n" or not word.startswith("-n") or word.startswith("--"):
            rest.append(word)
        else:
            found["namespace"] = word[2:]
    address = f"k8s:{found.get('context', '')}"
    if "namespace" in found:
        address += f"/{found['namespace']}"
    return Translated(("--store", address, *rest), found.get("kubeconfig"))


def main() -> int:
    """Run `wf` on the cluster that kubectl speaks to."""
    translated = translate(sys.argv[1:])
    if translated.kubeconfig is not None:
        os.environ["KUBECONFIG"] = translated.kubeconfig
    from wf_core.cli.app import run

    return run(translated.arguments)


if __name__ == "__main__":
    sys.exit(main())
