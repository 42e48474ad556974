"""What is saved of a step's parameters: what its document does not say as it is (semantics B5, C7).

Those are values that references brought, defaults of the kind, and values in another form than the
author wrote. The document itself never changes, so nothing of it is saved again.
"""

from wf_core.model.spec import Parameters


def difference(given: Parameters, whole: Parameters) -> Parameters:
    """What is to be put over `given`, within objects too, to have `whole`."""
    found: Parameters = {}
    for key, value in whole.items():
        if key not in given:
            found[key] = value
        elif isinstance(value, dict) and isinstance(given[key], dict):
            inner = difference(given[key], value)
            if inner:
                found[key] = inner
        elif given[key] != value:
            found[key] = value
    return found


def merged(given: Parameters, saved: Parameters) -> Parameters:
    """`given` with what was saved put over it."""
    whole = dict(given)
    for key, value in saved.items():
        inner = whole.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            whole[key] = merged(inner, value)
        else:
            whole[key] = value
    return whole
