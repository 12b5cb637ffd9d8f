"""Strategies by name: `{"use": "uniform", "inspirations": 3}` → `Uniform(inspirations=3)`.

A short name is looked up among those that the caller knows; anything with a dot is imported (`mine.samplers:Curious`).
The keyword arguments are checked against the signature before anything is called, so that a slip in a settings file
is one clear sentence.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")

PLAIN: Mapping[object, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}
"""The annotations that that are checked here, and the types that satisfy them; a strategy checks the rest itself."""


class SettingsError(Exception):
    """A setting cannot be used; the text names it, what came, and what was meant, as far as that can be guessed."""


def resolve(setting: Mapping[str, Any], known: Mapping[str, Callable[..., T]]) -> T:
    """Make the strategy that a setting names.

    Args:
        setting: `use`, a short name or a dotted path to a class or function that returns the strategy, and the
            keyword arguments for it.
        known: the short names.

    Raises:
        SettingsError: `use` is missing or names nothing; an argument is unknown, missing or of another type; the
            strategy itself refuses its arguments (ValueError, TypeError).
    """
    use, arguments = setting.get("use"), {key: value for key, value in setting.items() if key != "use"}
    if not isinstance(use, str) or not use:
        raise SettingsError(f'a strategy is written {{use = "name", …}}; this one has no `use`: {dict(setting)!r}')
    factory = known[use] if use in known else imported(use, known)
    checked(use, factory, arguments)
    try:
        return factory(**arguments)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{use}: {error}") from error


def kept(text: str, known: Iterable[str], name: str, asked: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A setting as a run file has it, JSON: the file may come from anywhere, so it cannot have code imported.

    Args:
        known: the short names that are safe, also inside `weights`.
        asked: what the user named, if anything; then that it is the same as in the file has been seen to.

    Raises:
        SettingsError: it names something else, and the user did not.
    """
    setting: Any
    try:
        setting = json.loads(text)
    except (ValueError, RecursionError):
        setting = None
    weights = setting.get("weights", {}) if isinstance(setting, dict) else None
    if not isinstance(weights, dict):
        raise SettingsError(f"the file's {name} is no setting: {text[:200]}")
    if asked is None and (strange := [use for use in (setting.get("use"), *weights) if use not in list(known)]):
        raise SettingsError(
            f"the file's {name} is {text[:200]}; {strange[0]!r} did not come with elites. A file is not trusted to "
            f"have code run: name it, as in --{name} '{{use = \"mine.module:Name\"}}'"
        )
    found: Mapping[str, Any] = setting
    return found


def canonical(setting: Mapping[str, Any]) -> str:
    """The one way to write a setting: JSON with sorted keys. Raises SettingsError where it is not plain data."""
    try:
        return json.dumps(setting, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"a setting must be plain data (text, numbers, lists, tables): {error}") from error


def suggestion(word: str, choices: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing where no choice is near."""
    near = get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def imported(path: str, known: Iterable[str]) -> Callable[..., Any]:
    """What a dotted path names: `package.module:name` or `package.module.name`. Raises SettingsError."""
    names = sorted(known)
    if "." not in path and ":" not in path:
        raise SettingsError(f"{path!r} is none of {', '.join(names)}, nor a dotted path.{suggestion(path, names)}")
    module, _, name = path.rpartition(":" if ":" in path else ".")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise SettingsError(f"{path!r}: there is no module {error.name!r} to import") from error
    except ImportError as error:
        raise SettingsError(f"{path!r}: {module} cannot be imported: {error}") from error
    except AttributeError as error:
        raise SettingsError(f"{path!r}: {module} has no {name!r}") from error
    if not callable(found):
        raise SettingsError(f"{path!r} is a {type(found).__name__}, not a class or function that makes the strategy")
    factory: Callable[..., Any] = found
    return factory


def checked(use: str, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raises SettingsError where the arguments do not fit the factory's signature."""
    parameters = signature(factory).parameters.values()
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for key in sorted(arguments.keys() - named.keys()):
            takes = ", ".join(named) or "no arguments"
            raise SettingsError(f"{use} does not take {key!r}; it takes {takes}.{suggestion(key, named)}")
    for name, parameter in named.items():
        if name in arguments:
            typed(f"{use}: {name}", arguments[name], parameter.annotation)
        elif parameter.default is parameter.empty:
            raise SettingsError(f"{use} needs {name!r}")


def typed(what: str, value: object, annotation: object) -> None:
    """Raises SettingsError where a plain annotation and the value disagree (True is no int)."""
    accepted = PLAIN.get(annotation)
    if accepted is None:
        return
    if not isinstance(value, accepted) or (isinstance(value, bool) and annotation is not bool):
        name = getattr(annotation, "__name__", str(annotation))
        raise SettingsError(f"{what} must be of type {name}, not {value!r}")


def signature(factory: Callable[..., Any]) -> inspect.Signature:
    """The signature with its annotations as types where they can be found."""
    try:
        return inspect.signature(factory, eval_str=True)
    except (NameError, TypeError):
        return inspect.signature(factory)
