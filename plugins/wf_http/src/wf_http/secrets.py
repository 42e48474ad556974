"""Secrets: where they come from, and keeping them out of whatever is shown or saved.

An author names a secret; which there are the operator decides. Files lie below one folder, in the
folder of the workflow's own namespace, so that no tenant uses what is another's.
"""

import base64
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from wf_http.parameters import KubernetesSecret, SecretSource, Text
from wf_http.problems import Lacking, NoSecret

FOLDER = "WF_HTTP_SECRETS"
PREFIX = "WF_HTTP_SECRET_"
MOST = 64 * 1024
HIDDEN = "***"

_VARIABLE = re.compile(r"[A-Za-z0-9_]+")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

ReadSecret = Callable[[KubernetesSecret], bytes]


def is_variable(name: str) -> bool:
    """Whether what follows `WF_HTTP_SECRET_` can be the name of a variable."""
    return _VARIABLE.fullmatch(name) is not None


def is_object(name: str) -> bool:
    """Whether it can be the name of an object in a cluster: `.` and `..` would lead elsewhere."""
    return len(name) <= 253 and _OBJECT.fullmatch(name) is not None


def is_inside(name: str) -> bool:
    """Whether a file's name stays below the folder: no `..`, nothing hidden, nothing absolute."""
    return all(_PART.fullmatch(part) for part in name.split("/"))


def path_of(name: str, namespace: str) -> Path:
    """The operator's file of that name, for workflows of `namespace`. Raises NoSecret."""
    folder = os.environ.get(FOLDER)
    if not folder:
        raise Lacking(
            f"there is no folder of secrets for {name!r}; whoever runs the engine can name one: "
            f"{FOLDER}=FOLDER, with a file {namespace}/{name}"
        )
    if not (is_inside(name) and is_inside(namespace)):
        raise Lacking(f"{name!r} is no file below the folder of {FOLDER}")
    return Path(folder) / namespace / name


class Secrets:
    """The secrets of one call, each read when first used. Remembers them, to hide them."""

    def __init__(
        self, sources: Mapping[str, SecretSource], namespace: str, read: ReadSecret
    ) -> None:
        self._sources = sources
        self._namespace = namespace
        self._read = read
        self._values: dict[str, str] = {}
        self._hidden: set[str] = set()

    def text(self, value: Text) -> str:
        """A text with its secret in place. Raises NoSecret."""
        if isinstance(value, str):
            return value
        return f"{value.prefix}{self.value(value.secret)}{value.suffix}"

    def basic(self, user: str, name: str) -> str:
        """The value of `Authorization` for a user and password. Raises NoSecret."""
        packed = base64.b64encode(f"{user}:{self.value(name)}".encode()).decode("ascii")
        self._hidden.add(packed)
        return f"Basic {packed}"

    def value(self, name: str) -> str:
        """A secret by its name in `secrets`. Raises NoSecret."""
        if name not in self._values:
            source = self._sources.get(name)
            if source is None:
                raise Lacking(f"there is no secret {name!r} under `secrets`")
            value = self._find(name, source)
            self._values[name] = value
            self._hidden |= {value, quote(value), quote(value, safe=""), quote_plus(value)}
            self._hidden |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        return self._values[name]

    def hide(self, text: str) -> str:
        """The text without any secret that was used."""
        for secret in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def hide_all(self, value: Any) -> Any:
        """A JSON value without any secret that was used."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(key): self.hide_all(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.hide_all(each) for each in value]
        return value

    def _find(self, name: str, source: SecretSource) -> str:
        # A Secret of the cluster may come, or be put right, at any moment.
        problem = NoSecret if source.kubernetes_secret is not None else Lacking
        if source.env:
            found = os.environ.get(PREFIX + source.env)
            if found is None:
                raise Lacking(
                    f"secret {name!r}: the engine has no variable {PREFIX}{source.env}; "
                    "whoever runs it can set it"
                )
            content = found
        else:
            content = self._text(name, self._bytes(name, source), problem)
        value = content.removesuffix("\n").removesuffix("\r")
        if not value:
            raise problem(f"secret {name!r} is empty")
        return value

    def _bytes(self, name: str, source: SecretSource) -> bytes:
        if source.kubernetes_secret is not None:
            return self._read(source.kubernetes_secret)
        path = path_of(source.file, self._namespace)
        try:
            with path.open("rb") as file:
                return file.read(MOST + 1)
        except OSError as error:
            raise Lacking(
                f"secret {name!r}: the file {self._namespace}/{source.file} in {FOLDER} can't be "
                f"read: {error.strerror}"
            ) from None

    def _text(self, name: str, content: bytes, problem: type[NoSecret]) -> str:
        if len(content) > MOST:
            raise problem(f"secret {name!r} is larger than {MOST} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise problem(f"secret {name!r} is no text in UTF-8") from None
