"""The parts of a controller, put together."""

import os
import platform
from importlib.metadata import version

from wf_core.adapters.announcer import NoAnnouncer, ThreadAnnouncer
from wf_core.adapters.clock import SystemClock, WallClock
from wf_core.adapters.open_record import NoRecord
from wf_core.adapters.threads import ThreadExecutor
from wf_core.callbacks import HttpSender
from wf_core.engine.engine import Engine
from wf_core.engine.local import hook_folder
from wf_core.limits import pool_size
from wf_core.plugins import Registry
from wf_k8s.client import shared
from wf_k8s.client.access import Access
from wf_k8s.client.pace import Throttle
from wf_k8s.client.session import Observer, Session
from wf_k8s.controller.options import Options
from wf_k8s.leadership.fence import FencedSession
from wf_k8s.leadership.leadership import Leadership
from wf_k8s.leadership.lease import Lease
from wf_k8s.leadership.owners import LeaseOwners
from wf_k8s.leadership.suspects import LeaseRecord
from wf_k8s.store.store import K8sStore


def identity() -> str:
    """Who this process is: its host's name, which in a pod is the pod's, and chance, so that a
    process that starts again is somebody else."""
    return f"{(platform.node() or 'here')[:63]}_{os.urandom(4).hex()}"


def access(options: Options) -> Access:
    """The way to the API server."""
    kubeconfig = None if options.kubeconfig is None else str(options.kubeconfig)
    return Access(options.address, kubeconfig, options.config.idle_timeout_mill_seconds / 1000)


def lease_session(options: Options, observer: Observer) -> Session:
    """For the Lease alone. It is not throttled: a renewal behind a queue of saves would come too
    late, and is one request a period."""
    seconds = options.config.rpc_timeout_mill_seconds / 1000
    timeout = min(seconds, options.timing.deadline / 2)
    return Session(access(options), timeout=timeout, observer=observer)


def store(
    options: Options, leadership: Leadership, clock: SystemClock, observer: Observer
) -> K8sStore:
    """The workflows, for as long as this controller leads. Plugins share its way there."""
    config = options.config
    throttle = Throttle(config.throttle_qps)

    def session() -> Session:
        return FencedSession(
            access(options),
            lambda: leadership.leads,
            throttle=throttle,
            timeout=config.rpc_timeout_mill_seconds / 1000,
            observer=observer,
        )

    shared.share(options.address, session)
    owners = LeaseOwners(leadership, f"{config.namespace}/{options.lease}")
    return K8sStore(session(), owners, clock.now, verified=options.requesters_verified)


def record(options: Options) -> LeaseRecord | None:
    """Where it is noted what is open, for the process that is started after this one died."""
    folder = options.open_folder
    return None if folder is None else LeaseRecord(folder, version("wf-core"))


def lease(options: Options, session: Session, noted: LeaseRecord | None) -> Lease:
    """What says who leads, and what died controllers had open."""
    return Lease(session, options.config.namespace, options.lease, noted)


def engine(
    options: Options,
    store: K8sStore,
    registry: Registry,
    clock: SystemClock,
    noted: LeaseRecord | None,
) -> Engine:
    """The engine on that store."""
    config = options.config
    return Engine(
        store=store,
        registry=registry,
        executor=ThreadExecutor(registry.perform, pool_size(config.controller_config.concurrency)),
        clock=clock,
        sender=HttpSender(config, WallClock(), public_only=True),
        announcer=ThreadAnnouncer(registry.notify) if registry.observed else NoAnnouncer(),
        config=config,
        folder=hook_folder(f"k8s:{options.address}", os.environ),
        record=noted or NoRecord(),
        store_url=f"k8s:{options.address}",
    )
