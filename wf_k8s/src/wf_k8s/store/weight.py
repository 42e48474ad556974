"""What a workflow takes in memory while it is driven (semantics E10).

Measured with 20,000 short texts, with as many objects, and with a few long texts: decoded it takes
about three times its bytes, and 300 more for each value. A save holds it decoded once more, and as
much again stays with the allocator.
"""

from wf_k8s.client.pace import values_in

_LEAST = 8 * 1024
_BYTE = 6
_VALUE = 600


def weight(raw: bytes) -> int:
    """About how many bytes it is, by the JSON of the object, which is not decoded for that."""
    return _LEAST + _BYTE * len(raw) + _VALUE * values_in(raw)
