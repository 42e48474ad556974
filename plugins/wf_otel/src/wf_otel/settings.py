"""What the standard variables of OpenTelemetry say, as far as it has to be known before the SDK is
imported; the SDK reads all others itself."""

from collections.abc import Mapping

import attrs

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
LOOKS = "WF_OTEL_LOOKS"
"""Ours: whether looks (`sync`) have spans, too. There may be many."""

_TRUE = frozenset({"true", "1"})
_OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


@attrs.frozen
class Settings:
    """`exporter`: the name of its entry point; empty where nothing is traced."""

    exporter: str
    looks: bool

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Settings":
        """From the environment. Without an endpoint or an exporter by name nothing is traced: a
        laptop has no collector, and need not be told so at every run."""
        named = env.get(EXPORTER, "").strip()
        wanted = named or ("otlp" if any(env.get(name) for name in ENDPOINTS) else "none")
        if _is_true(env.get("OTEL_SDK_DISABLED")) or wanted == "none":
            wanted = ""
        if wanted == "otlp":
            wanted = _OTLP.get(_protocol(env), _OTLP["http/protobuf"])
        return cls(wanted, _is_true(env.get(LOOKS)))


def _protocol(env: Mapping[str, str]) -> str:
    return next((env[name] for name in PROTOCOLS if env.get(name)), "")


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip().lower() in _TRUE
