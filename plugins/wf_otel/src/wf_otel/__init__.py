"""OpenTelemetry traces: a span for each call of a hook, and one for each workflow."""
