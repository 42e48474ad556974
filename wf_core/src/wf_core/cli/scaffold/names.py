"""The names in a new plugin, all made from two: that of the distribution and that of the kind."""

import keyword
import re
import sys

import attrs

_DISTRIBUTION = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
_KIND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OURS = re.compile(r"wf|wf_core|wf_k8s")
_PREFIX = "wf-"


class BadName(ValueError):  # noqa: N818
    """A name that can't be used; str() says why, and where it can a name that could."""


@attrs.frozen
class Names:
    """`distribution` is normalized as indexes do (PEP 503): lower case, with dashes."""

    distribution: str
    kind: str

    @property
    def package(self) -> str:
        """What Python imports."""
        return self.distribution.replace("-", "_")

    @property
    def camel(self) -> str:
        """The kind in the names of classes."""
        return "".join(part.capitalize() for part in self.kind.split("-"))


def names(distribution: str, kind: str | None = None) -> Names:
    """The names of a new plugin. Without `kind` it is called as the distribution is, less a `wf-`
    in front. Raises BadName."""
    if not _DISTRIBUTION.fullmatch(distribution):
        raise BadName(
            f"'{distribution}' is no name of a distribution: it takes letters, digits, and - _ . "
            f"between them{_instead(distribution)}"
        )
    normalized = _normalized(distribution)
    package = normalized.replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise BadName(f"a package '{package}' can't be imported; `{_PREFIX}{normalized}` would do")
    if package in sys.stdlib_module_names:
        raise BadName(f"a module '{package}' is part of Python; `{_PREFIX}{normalized}` would do")
    if _OURS.fullmatch(package):
        raise BadName(f"'{normalized}' is wf's own; say what the steps do, as in `wf-folder`")
    if kind is None:
        kind = normalized.removeprefix(_PREFIX)
    if not _KIND.fullmatch(kind):
        raise BadName(
            f"'{kind}' is no name of a kind: small letters first, then digits too, with dashes "
            f"between words{_instead(kind)}; give one with --kind"
        )
    return Names(normalized, kind)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _instead(name: str) -> str:
    """A name near to one that can't be used, where there is one."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    near = "-".join(words).lstrip("0123456789-")
    return f"; `{near}` would do" if _KIND.fullmatch(near) else ""
