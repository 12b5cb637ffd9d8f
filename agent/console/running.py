"""`run` and `rescore`: from options and a settings file to a `Search`, with a display and a clean end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from agent import settings
from agent.console.facts import lines, of_entry
from agent.console.inspection import opened
from agent.console.progress import Progress
from agent.console.sources import default_file, source_of, strategy
from agent.console.text import say, warn
from agent.events import Said
from agent.keys import Keys
from agent.ledger import Patience
from agent.models.answers import Price
from agent.models.make import ModelSettings
from agent.search import Report, Search
from agent.strategies import SettingsError
from problems.loading import reference

INTERRUPTED = 130


def run(
    problem: str, words: Sequence[str], options: Mapping[str, Any], settings_file: Path | None, keys: Keys | None = None
) -> None:
    """Begin a run or go on with it. Options win over the settings file.

    Args:
        options: by the names of the settings file's `[run]`, `sampler`, `proposer`, `retry`, and those of a model;
            None is "not said".
        keys: what was taken from the environment.

    Raises:
        SettingsError, and what `Search.run` raises. typer.Exit(130) after Ctrl-C.
    """
    stated = settings.read(settings_file) if settings_file else settings.Settings()
    said = {key: value for key, value in options.items() if value is not None}
    models = models_of(stated, said)
    asked = {**stated.run.model_dump(exclude_none=True), **said}
    source = reference(problem, words)
    file = Path(asked.pop("file", None) or default_file(problem, words, source))
    progress = Progress(usd=asked.get("usd"))
    for name, written in (("sampler", stated.sampler), ("proposer", stated.proposer)):
        asked[name] = strategy(name, asked[name]) if name in asked else written
    patience = Patience(**stated.patience.model_dump(exclude_none=True))
    search = Search(source, file, models=models, keys=keys or Keys(), patience=patience, listener=progress, **asked)
    with stopping(progress), progress:
        report = search.run()
    told(file, report)
    if report.reason == "interrupted":
        raise typer.Exit(INTERRUPTED)


def told(file: Path, report: Report) -> None:
    """How a run ended, on standard output."""
    why = {
        "done": "all steps are done",
        "minutes": "the time is up",
        "usd": "the next call might pass the budget",
        "interrupted": "interrupted; the same command goes on",
    }
    paid = f", ${report.usd:.4f}" if report.usd else ""
    say(f"{why.get(report.reason, report.reason)}: {report.steps} steps in {file}{paid}")
    if report.why:
        say(f"{report.why}: raise --usd, or lower --max-tokens (max_tokens in the settings)")
    if report.best is None:
        say("no champion: no entry passed being judged again")
        return
    with opened(file) as archive:
        say("\n".join(lines(of_entry(archive, report.best))))
    say(f"see also: elites best {file}   elites map {file}   elites lineage {file} {report.best.step}")


def rescore(file: Path, problem: str | None, options: Mapping[str, Any]) -> None:
    """Judge every stored candidate under the scorer as it now is."""
    progress = Progress()
    said = {key: value for key, value in options.items() if value is not None}
    search = Search(source_of(file, problem), file, listener=progress, **said)
    with stopping(progress), progress:
        count = search.rescore()
    say(f"{count} candidates were judged again; {file} now counts their new values")


@contextmanager
def stopping(progress: Progress) -> Iterator[None]:
    """Ctrl-C (or SIGTERM): the first ends the run cleanly, the second at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if len(pressed) > 1:
            progress.__exit__()
            warn("\nstopped at once; what was committed stays, and the same command goes on")
            os._exit(INTERRUPTED)
        progress(Said("finishing what is in flight; Ctrl-C again stops at once"))
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def models_of(stated: settings.Settings, said: dict[str, Any]) -> tuple[ModelSettings, ...]:
    """The model of the options, or those of the file; takes the options that are of a model out of `said`."""
    asked: dict[str, Any] = {
        key: said.pop(key) for key in ("base_url", "price_in", "price_out", "max_tokens") if key in said
    }
    name = said.pop("model", None)
    if name is None:
        if asked:
            raise SettingsError(
                "--base-url, --max-tokens, --price-in and --price-out are of a model: name it with --model"
            )
        return tuple(_model(table.model_dump()) for table in stated.models)
    known: dict[str, Any] = next((table.model_dump() for table in stated.models if table.name == name), {})
    return (_model({**known, **asked, "name": name}),)


def _model(table: Mapping[str, Any]) -> ModelSettings:
    """What the models' maker is told. Raises SettingsError where one price is named without the other."""
    prompt, completion = table.get("price_in"), table.get("price_out")
    if (prompt is None) != (completion is None):
        raise SettingsError(
            f"model {table['name']}: a price has two parts: name both price_in and price_out, or neither"
        )
    price = None if prompt is None or completion is None else Price(prompt, completion)
    same = {
        key: table[key]
        for key in ("name", "base_url", "temperature", "max_tokens", "timeout")
        if table.get(key) is not None
    }
    return ModelSettings(**same, key=table.get("api_key_env"), price=price)
