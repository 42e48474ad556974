"""What TLS trusts and shows."""

import functools
import ssl

import httpx

from wf_http.parameters import Tls
from wf_http.problems import Lacking
from wf_http.secrets import FOLDER, path_of

PROTOCOLS = ["http/1.1"]


def context_of(tls: Tls, namespace: str) -> ssl.SSLContext:
    """The context for a step's connections. Raises Lacking where a file can't be used."""
    if tls == Tls(server_name=tls.server_name):
        return _usual()
    context = _trusting(tls, namespace)
    if tls.client_cert_file:
        certificate = path_of(tls.client_cert_file, namespace)
        key = path_of(tls.client_key_file, namespace) if tls.client_key_file else None
        try:
            # With a password at hand nobody is asked for one at the terminal.
            context.load_cert_chain(certificate, key, password="")  # nosec B106
        except OSError as error:
            raise Lacking(_problem("clientCertFile", tls.client_cert_file, error)) from None
    context.set_alpn_protocols(PROTOCOLS)
    return context


@functools.cache
def _usual() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(PROTOCOLS)
    return context


def _trusting(tls: Tls, namespace: str) -> ssl.SSLContext:
    if tls.insecure_skip_verify:
        return httpx.create_ssl_context(verify=False)
    if not tls.ca_file:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=path_of(tls.ca_file, namespace))
    except OSError as error:
        raise Lacking(_problem("caFile", tls.ca_file, error)) from None


def _problem(parameter: str, name: str, error: OSError) -> str:
    why = error.strerror or getattr(error, "reason", "") or type(error).__name__
    return f"tls.{parameter}: {name!r} in {FOLDER} can't be used: {why}"
