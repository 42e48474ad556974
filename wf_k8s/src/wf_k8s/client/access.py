"""How the API server is reached and who asks: read from a kubeconfig, or from inside a pod.

`kubernetes.aio` does the reading. It is imported late: it takes a second or two.
"""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from wf_core.errors import StoreUnavailable
from wf_k8s.client.sockets import Sockets
from wf_k8s.client.target import Target, read_target

if TYPE_CHECKING:
    import aiohttp
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.client.rest import RESTClientObject

IN_POD = "KUBERNETES_SERVICE_HOST"
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@attrs.frozen
class Door:
    """One reading of the configuration. `pool` is a session with its TLS context and connections;
    `extra` are arguments that each of its requests gets. `namespaces` is empty for all."""

    url: str
    namespaces: tuple[str, ...]
    configuration: "Configuration"
    rest: "RESTClientObject"
    pool: "aiohttp.ClientSession"
    connector: "aiohttp.TCPConnector"
    sockets: Sockets
    extra: Mapping[str, Any]

    async def headers(self) -> dict[str, str]:
        """Who asks. A token that a file holds is read again after a minute."""
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        return {"Authorization": token.strip()} if token else {}

    async def close(self) -> None:
        """Close the connections."""
        await self.rest.close()
        await self.connector.close()
        await self.sockets.cut()


class Access:
    """Opens doors to one target. `file` is the kubeconfig: None for $KUBECONFIG or the usual one.

    `idle` is how long (seconds) a connection may lie unused.
    """

    def __init__(self, address: str, file: str | None = None, idle: float = 200.0) -> None:
        self.address = address
        self._file = file
        self.idle = idle

    async def open(self) -> Door:
        """Read everything anew. Raises StoreUnavailable with what is wrong about it."""
        try:
            return await self._open()
        except StoreUnavailable:
            raise
        except Exception as error:
            # The package raises whatever its parsers do; each means: this configuration won't do.
            raise StoreUnavailable(
                f"the store 'k8s:{self.address}': its configuration can't be used: "
                f"{error or type(error).__name__}; "
                "`kubectl config get-contexts` lists what is there"
            ) from error

    async def _open(self) -> Door:
        from kubernetes.aio.client import Configuration
        from kubernetes.aio.client.rest import RESTClientObject

        configuration = Configuration()
        target, own = await self._read(configuration)
        import aiohttp

        configuration.client_session_kwargs = {
            # The environment is searched for proxies at every request otherwise, at twice the CPU.
            "trust_env": _proxied(os.environ),
            "auto_decompress": True,
            "timeout": aiohttp.ClientTimeout(total=None),
            "cookie_jar": aiohttp.DummyCookieJar(),
        }
        rest = RESTClientObject(configuration)
        sockets = Sockets()
        connector = aiohttp.TCPConnector(
            limit=0,
            ssl=rest.ssl_context,
            keepalive_timeout=self.idle,
            socket_factory=sockets.make,
        )
        configuration.client_session_kwargs["connector"] = connector
        pool = rest._create_pool_manager()
        rest.pool_manager = pool
        extra: dict[str, Any] = {}
        if configuration.proxy:
            extra["proxy"] = configuration.proxy
        if configuration.tls_server_name:
            extra["server_hostname"] = configuration.tls_server_name
        return Door(
            url=str(configuration.host).rstrip("/"),
            namespaces=target.namespaces(own),
            configuration=configuration,
            rest=rest,
            pool=pool,
            connector=connector,
            sockets=sockets,
            extra=extra,
        )

    async def _read(self, configuration: "Configuration") -> tuple[Target, str | None]:
        """Fill `configuration`; the target, and the namespace that is its own."""
        from kubernetes.aio import config

        file = self._file or os.environ.get("KUBECONFIG") or config.KUBE_CONFIG_DEFAULT_LOCATION
        there = any(Path(one).expanduser().exists() for one in str(file).split(os.pathsep) if one)
        if not there and IN_POD in os.environ:
            config.load_incluster_config(  # type: ignore[no-untyped-call]
                client_configuration=configuration
            )
            target = read_target(self.address, ())
            if target.context is not None:
                raise StoreUnavailable(
                    f"the store 'k8s:{self.address}' names the context '{target.context}', and "
                    "there is no kubeconfig here; in a pod write `k8s:` or `k8s:/NAMESPACE`"
                )
            text = await asyncio.to_thread(POD_NAMESPACE.read_text)
            return target, text.strip()
        if not there:
            raise StoreUnavailable(
                f"the store 'k8s:{self.address}' needs a kubeconfig, and {file} is not there; "
                "set KUBECONFIG to where it is"
            )
        contexts, current = config.list_kube_config_contexts(  # type: ignore[no-untyped-call]
            config_file=str(file)
        )
        by_name = {each["name"]: each["context"] for each in contexts}
        target = read_target(self.address, by_name)
        if target.context is not None and target.context not in by_name:
            raise StoreUnavailable(
                f"the kubeconfig {file} has no context '{target.context}'; it has "
                f"{', '.join(sorted(by_name)) or 'none'}"
            )
        chosen = by_name[target.context] if target.context is not None else current["context"]
        with _complaints(config.kube_config.logger) as complaints:
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=str(file),
                context=target.context,
                client_configuration=configuration,
                persist_config=False,
            )
        if complaints:
            raise StoreUnavailable(
                f"the kubeconfig {file} names a program that gives credentials, and it gave none: "
                f"{'; '.join(complaints)}"
            )
        return target, chosen.get("namespace")


@contextmanager
def _complaints(logger: logging.Logger) -> Iterator[list[str]]:
    """What the package logs meanwhile. Where a program for credentials fails it logs an error and
    goes on without any, and the API server's answer to that would tell nobody why."""
    said: list[str] = []

    def hear(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            said.append(record.getMessage())
            return False
        return True

    logger.addFilter(hear)
    try:
        yield said
    finally:
        logger.removeFilter(hear)


def _proxied(environment: Mapping[str, str]) -> bool:
    """Whether the environment names a proxy."""
    return any(
        environment.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    )
