"""Proposers by name, as a setting or a file has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.proposers.mutate import Mutate
from agent.proposers.patch import Patch
from agent.proposers.rewrite import Rewrite
from agent.proposers.roulette import Roulette
from agent.strategies import SettingsError, resolve
from agent.types import Model, Proposer

MUTATE: Mapping[str, Any] = {"use": "mutate"}
"""The default where no model is configured."""
WITH_MODELS: Mapping[str, Any] = {"use": "roulette", "weights": {"patch": 4, "rewrite": 1}}
"""The default where one is."""


NAMES = ("mutate", "patch", "rewrite", "roulette")
"""The proposers that come with elites."""


ASKING = ("patch", "rewrite")
"""Those that ask a model."""


def asks(setting: Mapping[str, Any]) -> bool:
    """Whether a proposer that comes with elites asks a model."""
    weights = setting.get("weights")
    used = [setting.get("use"), *(weights if setting.get("use") == "roulette" and isinstance(weights, Mapping) else ())]
    return any(name in ASKING for name in used)


def build_proposer(setting: Mapping[str, Any], models: Sequence[Model]) -> Proposer:
    """The proposer that a setting names; what asks a model asks each of `models` equally often.

    Raises:
        SettingsError: it names nothing, its arguments do not fit, or it asks a model and none is configured.
    """

    def asking(make: Callable[[Model], Proposer], name: str) -> Callable[[], Proposer]:
        def build() -> Proposer:
            if not models:
                raise SettingsError(f"proposer {name!r} asks a model: name one with --model, or take --proposer mutate")
            return Roulette(tuple((make(model), 1.0) for model in models)) if len(models) > 1 else make(models[0])

        return build

    def roulette(weights: Mapping[str, float]) -> Proposer:
        return Roulette(tuple((resolve({"use": name}, known), float(weight)) for name, weight in sorted(weights.items())))

    known: dict[str, Callable[..., Proposer]] = {
        "mutate": Mutate,
        "patch": asking(Patch, "patch"),
        "rewrite": asking(Rewrite, "rewrite"),
        "roulette": roulette,
    }
    return resolve(setting, known)
