"""What the engine itself must have for a step: variables, and files of the operator's folder."""

from collections.abc import Iterator
from typing import Never

from wf_http.parameters import HttpParameters, KubernetesSecret, SecretSource
from wf_http.problems import Lacking
from wf_http.secrets import Secrets, is_inside, is_variable


def lacking(parameters: HttpParameters, namespace: str) -> Iterator[str]:
    """What is missing or can't be used, a sentence each. A cluster is not asked for its Secrets:
    they may come later."""
    own = {name: source for name, source in parameters.secrets.items() if _is_known(source)}
    secrets = Secrets(own, namespace, _unread)
    for name in own:
        try:
            secrets.value(name)
        except Lacking as problem:
            yield str(problem)
    tls = parameters.tls
    files = [each for each in (tls.ca_file, tls.client_cert_file, tls.client_key_file) if each]
    if files and all(map(is_inside, files)):
        from wf_http.tls import context_of  # brings what speaks TLS along

        try:
            context_of(tls, namespace)
        except Lacking as problem:
            yield str(problem)


def _is_known(source: SecretSource) -> bool:
    """Whether it is the engine's own, under a name that no reference brings later."""
    return is_variable(source.env) if source.env else is_inside(source.file)


def _unread(secret: KubernetesSecret) -> Never:
    raise AssertionError(f"the Secret {secret.name!r} is not to be read here")
