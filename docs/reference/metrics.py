"""What the controller shows on `/metrics`."""

from docs.reference.markdown import code, table

from wf_k8s.telemetry.metrics import Metrics

HEAD = """\
# Metrics

Every replica of the controller serves these on `/metrics`, in the text format of Prometheus.
[Operate](operate.md#metrics) says which of them to watch, and what to do when one rises. A
histogram brings `_bucket`, `_sum` and `_count`. Beside these stand the `process_*` figures of
the process: memory, CPU and open files.
"""


def page() -> str:
    """Each metric: its type, its labels, its help."""
    collectors = {id(c): c for c in Metrics().registry._collector_to_names}
    rows = []
    for collector in collectors.values():
        labels = getattr(collector, "_labelnames", None)
        if labels is None:
            continue  # The figures of the process, which prometheus_client brings.
        (family,) = collector.collect()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = ", ".join(code(label) for label in labels)
        rows.append((code(name), family.type, shown, family.documentation))
    return "\n".join(
        [
            HEAD,
            *table(("metric", "type", "labels", "help"), rows),
        ]
    )
