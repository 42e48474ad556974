"""What each key of the configuration is for: shown in the docs."""

DESCRIPTIONS: dict[str, str] = {
    "Config.namespace": "The namespace of the controller's Lease.",
    "Config.throttleQPS": (
        "Requests a second to the API server, of all kinds together; the Lease's own do not count, "
        "and a write of a large object counts for several."
    ),
    "Config.idleTimeoutMillSeconds": "Milliseconds after which an idle HTTP connection is closed.",
    "Config.rpcTimeoutMillSeconds": (
        "Milliseconds that one request to the API server, or one callback, may take; a write of a "
        "large object may take longer."
    ),
    "Config.controllerConfig": "The engine itself.",
    "Config.callbacks": "How changes of phase are reported.",
    "ControllerConfig.syncTimeout": "What one look at a step may take.",
    "ControllerConfig.concurrency": "Calls of hooks at once, over all workflows.",
    "ControllerConfig.workflowMemory": (
        "MiB of memory for the workflows that are under way, which a controller in a cluster "
        "reckons before it reads one; one for which there is none waits until others of its "
        "namespace end. Left out: no limit, as for a file."
    ),
    "ControllerConfig.grace": "What a hook that is told to stop has to do so.",
    "ControllerConfig.queue": "How workflows are admitted.",
    "ControllerConfig.ttlSecondsAfterFinished": (
        "How long finished workflows are kept where neither they nor their queue says it."
    ),
    "ControllerConfig.sharePermits": (
        "Whether permits are shared between namespaces, so that one alone takes at most three "
        "fifths of a limit. In the chart it is true."
    ),
    "ControllerConfig.floors": "The least that documents get; what is below is raised to it.",
    "ControllerConfig.ceilings": (
        "The most that new documents may ask for; a document that asks for more is refused."
    ),
    "ControllerConfig.steps": "Limits of single kinds. A kind that is not named has none.",
    "QueueConfig.strategy": (
        "Which waiting workflow starts next: by age, or fairly between namespaces and then between "
        "the queues of each."
    ),
    "QueueConfig.maxRunningCount": "Workflows that run at once, over all queues; 0 admits none.",
    "QueueConfig.queues": "What single queues have of their own, by the queue's name.",
    "QueueConfig.shareBy": (
        "Between whom slots are shared. With queue, namespaces count for nothing: all queues "
        "are one line (FIFO) or share among themselves (FAIR)."
    ),
    "QueueConfig.maxRunningCountPerNamespace": (
        "Workflows of one namespace that run at once, unless `namespaces` says otherwise; left "
        "out: no limit. In the chart it is three fifths of maxRunningCount."
    ),
    "QueueConfig.namespaces": "What single namespaces have of their own, by name.",
    "NamespaceLimits.weight": "Its share among FAIR namespaces.",
    "NamespaceLimits.maxRunningCount": (
        "Workflows of this namespace that run at once; left out: maxRunningCountPerNamespace."
    ),
    "Floors.retryPeriod": (
        "The shortest time between an attempt that failed and the next; a lower maxPeriodSeconds "
        "counts as this. In the chart it is 1 s."
    ),
    "Ceilings.timeout": (
        "The longest timeoutSeconds and rollbackTimeoutSeconds of a step; left out: no limit."
    ),
    "Ceilings.retryLimit": (
        "The highest runRetryLimit and rollbackRetryLimit of a step; -1, retries without limit, is "
        "above every one; left out: no limit."
    ),
    "QueueLimits.weight": "Its share among FAIR queues.",
    "QueueLimits.maxRunningCount": "Workflows of this queue that run at once; left out: no limit.",
    "QueueLimits.ttlSecondsAfterFinished": (
        "How long its finished workflows are kept where they don't say it."
    ),
    "QueueLimits.namespaces": (
        "The namespaces whose new workflows may name it; others are refused. Left out: all."
    ),
    "Ttl.success": (
        "How long after Success. Left out: what is said further out holds; where nothing is said, "
        "it stays."
    ),
    "Ttl.rollBacked": "The same after RollBacked.",
    "Ttl.failed": "The same after Failed.",
    "StepConfig.kind": "The kind that is limited.",
    "StepConfig.qps": "Calls of its hooks a second; left out: no limit.",
    "StepConfig.concurrency": "Calls of its hooks at once; left out: no limit.",
    "StepConfig.maxActive": (
        "Attempts of it that are open at once, those in progress included; left out: no limit."
    ),
    "StepConfig.syncTimeout": "What one look at it may take; left out: that of the engine.",
    "CallbackConfig.allowedHosts": "The hosts that callbacks may go to; left out: any.",
    "CallbackConfig.publicOnly": (
        "Whether callbacks reach public addresses alone; left out: yes in a cluster, unless "
        "`allowedHosts` is given, and no on a laptop."
    ),
    "CallbackConfig.secretFile": (
        "The file with the master secret, from which each namespace's signing key is derived; left "
        "out: unsigned."
    ),
    "CallbackConfig.oldSecretFile": (
        "While secrets change: the master secret that receivers still have. Callbacks are signed "
        "by both."
    ),
    "CallbackConfig.giveUpAfter": "An undelivered callback is dropped after this.",
    "CallbackConfig.giveUpAfterDeletion": "The same, once its workflow is asked to be deleted.",
}
"""By class of `wf_core.config.values` and name in a file."""
