"""Settings from a TOML file: the same names as the options of `elites run`, and nothing else.

sampler = {use = "uniform", inspirations = 2}
proposer = {use = "mutate"}

[run]
steps = 2000
usd = 5.0

[[models]]
name = "gpt-5-mini"
api_key_env = "OPENAI_API_KEY"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from agent.strategies import SettingsError, suggestion

Positive = Annotated[int, Field(gt=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Strict(BaseModel):
    """Unknown keys are errors; a number in quotes is text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModelTable(Strict):
    """One model."""

    name: Annotated[str, Field(min_length=1)]
    """As its provider calls it; `provider/name` goes through litellm where no address is given."""
    base_url: str | None = None
    """The address of any OpenAI-compatible server."""
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    temperature: Amount | None = None
    max_tokens: Positive | None = None
    """Of one reply."""
    timeout: Above | None = None
    """Seconds that one reply may take."""
    price_in: Amount | None = None
    """USD for a million prompt tokens."""
    price_out: Amount | None = None
    """USD for a million completion tokens."""


class RunSettings(Strict):
    """The options of `elites run`; None is "not said"."""

    steps: Positive | None = None
    usd: Amount | None = None
    minutes: Above | None = None
    evaluations: Positive | None = None
    proposals: Positive | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    seed: int | None = None
    islands: Positive | None = None
    migration: Annotated[int, Field(ge=0)] | None = None
    sandbox: Literal["auto", "docker", "process"] | None = None
    isolation: Literal["reuse", "strict"] | None = None
    engine: Literal["ray", "local"] | None = None
    address: str | None = None


class PatienceTable(Strict):
    """How long to try where a model does not answer; None is "not said"."""

    attempts: Positive | None = None
    first: Amount | None = None
    """Seconds before the second attempt; each further pause is twice as long."""
    longest: Amount | None = None
    """Seconds; where a server asks for a longer pause, the call is given up."""


class Settings(Strict):
    """A whole settings file."""

    run: RunSettings = RunSettings()
    patience: PatienceTable = PatienceTable()
    sampler: dict[str, Any] | None = None
    proposer: dict[str, Any] | None = None
    models: Annotated[tuple[ModelTable, ...], Field(strict=False)] = ()


def read(path: Path) -> Settings:
    """The settings in a file.

    Raises:
        SettingsError: the file is not there, is no TOML, has an unknown key or a value of another type; the text names
            the file and every key at fault.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML: {error}") from error
    return parsed(tables, str(path))


def parsed(tables: dict[str, Any], where: str) -> Settings:
    """The settings that tables state. Raises SettingsError, naming `where` and every key at fault."""
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        faults = "\n  ".join(fault(detail) for detail in error.errors(include_url=False))
        raise SettingsError(f"{where}: {faults}") from error


def fault(detail: ErrorDetails) -> str:
    """One fault in words: the path of the key, what came, what was expected."""
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = names(detail["loc"][:-1])
        return f"{path}: there is no such key.{suggestion(str(detail['loc'][-1]), known)} Known: {', '.join(known)}"
    if detail["type"] == "missing":
        return f"{path}: this key is missing"
    came = "" if isinstance(detail["input"], (dict, list)) else f", not {detail['input']!r}"
    return f"{path}: {detail['msg'].replace('Input should be', 'must be')}{came}"


def names(place: tuple[int | str, ...]) -> list[str]:
    """The keys that a table knows."""
    tables: dict[str, type[Strict]] = {"run": RunSettings, "models": ModelTable}
    return list((tables[str(place[0])] if place else Settings).model_fields)
