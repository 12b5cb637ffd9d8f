"""Keys leave the environment before anything else starts, so that no worker, sandbox or library inherits them."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field

SECRET = re.compile(
    r"(?:^|_)(?:(?:API|ACCESS|SECRET|PRIVATE)?KEY|TOKEN|SECRET|CREDENTIALS?|PAT)S?(?:_ID|_\d+)?$"
    r"|(?:PASSWORD|PASSWD|PASSPHRASE|_PWD)S?(?:_\d+)?$"
    r"|^A(?:WS|ZURE)_(?!.*_FILE$).*(?:KEY|SECRET|TOKEN)|^OPENAI_.*KEY|^(?:DATABASE|REDIS|MONGO\w*)_UR[LI]$|_DSN$",
    re.IGNORECASE,
)
"""Names of variables that hold secrets. A region, a profile or the path of a file is none: clients need those where they are."""

OURS = re.compile(r"^RAY_")
"""Ray's own variables stay: its processes need them to find each other."""

PR_SET_DUMPABLE = 4
"""From `linux/prctl.h`."""


@dataclass(frozen=True)
class Keys:
    """Secrets by the name that their variable had. They never show in a message, a log or a `repr`."""

    _values: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def first(self, names: Iterable[str]) -> tuple[str, str] | None:
        """The first of these names that is set, with its key."""
        return next(((name, self._values[name]) for name in names if self._values.get(name)), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._values))

    def __reduce__(self) -> tuple[type[Keys], tuple[()]]:
        """Sent to another process, it arrives empty."""
        return Keys, ()


def take_keys(environ: MutableMapping[str, str] = os.environ) -> Keys:
    """Move every variable that looks like a secret out of an environment."""
    names = [name for name in environ if SECRET.search(name) and not OURS.search(name)]
    return Keys({name: environ.pop(name) for name in names})


def undumpable() -> bool:
    """Keep other processes of the same user from reading our memory or our first environment in `/proc`.

    Returns whether it holds; it does on Linux only.
    """
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
