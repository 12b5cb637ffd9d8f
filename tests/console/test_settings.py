"""Settings: what is unknown is an error that says what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent import settings
from agent.console import running, sources
from agent.strategies import SettingsError, canonical, resolve
from tests.console.conftest import Elites

GOOD = """
sampler = {use = "uniform", inspirations = 2}
proposer = {use = "mutate"}

[run]
steps = 20
usd = 1
sandbox = "process"

[[models]]
name = "a"
price_in = 1.0
price_out = 2

[[models]]
name = "b"
api_key_env = "B_KEY"
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(GOOD)
    read = settings.read(tmp_path / "run.toml")
    assert (read.run.steps, read.run.usd, read.run.sandbox) == (20, 1.0, "process")
    assert read.sampler == {"use": "uniform", "inspirations": 2}
    assert [(m.name, m.api_key_env, m.price_out) for m in read.models] == [("a", None, 2.0), ("b", "B_KEY", None)]


@pytest.mark.parametrize(
    ("tables", "texts"),
    [
        ({"run": {"step": 5}}, ["run.step", "Did you mean 'steps'?"]),
        ({"samplr": {}}, ["samplr", "Did you mean 'sampler'?"]),
        ({"models": [{"name": "a", "key": "x"}]}, ["models.0.key", "api_key_env"]),
        ({"models": [{}]}, ["models.0.name: this key is missing"]),
        ({"run": {"steps": "5"}}, ["run.steps", "not '5'"]),
        ({"run": {"steps": True}}, ["run.steps"]),
        ({"run": {"steps": 0}}, ["run.steps", "greater than 0"]),
        ({"run": {"sandbox": "none"}}, ["run.sandbox", "'docker'"]),
        ({"run": {"usd": float("nan")}}, ["run.usd"]),
        ({"run": 5}, ["run"]),
    ],
)
def test_what_is_wrong_is_named(tables: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(SettingsError) as told:
        settings.parsed(tables, "run.toml")
    assert str(told.value).startswith("run.toml: ")
    assert all(text in str(told.value) for text in texts)


@pytest.mark.parametrize(("content", "text"), [("[run", "no TOML"), (b"\xff", "no TOML"), (None, "cannot be read")])
def test_a_file_that_is_no_toml(tmp_path: Path, content: str | bytes | None, text: str) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=text):
        settings.read(path)


def test_the_console_tells_it_in_one_message(elites: Elites, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[run]\nstep = 5\n")
    ended = elites("run", "circle_packing", "--settings", tmp_path / "run.toml", "--file", tmp_path / "x.db")
    assert ended.code == 1
    assert "Did you mean 'steps'?" in ended.err
    assert not (tmp_path / "x.db").exists()


def test_options_win_over_the_models_of_the_file() -> None:
    stated = settings.parsed({"models": [{"name": "a", "price_in": 1.0, "price_out": 2.0, "max_tokens": 9}]}, "f")
    both = running.models_of(stated, {})
    assert [(m.name, m.max_tokens) for m in both] == [("a", 9)]
    (one,) = running.models_of(stated, {"model": "a", "base_url": "http://localhost:1"})
    assert (one.base_url, one.max_tokens) == ("http://localhost:1", 9)
    assert one.price is not None
    (other,) = running.models_of(stated, {"model": "b"})
    assert (other.name, other.max_tokens, other.price) == ("b", None, None)


@pytest.mark.parametrize("said", [{"base_url": "http://x"}, {"model": "a", "price_in": 1.0}])
def test_halves_of_a_model_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        running.models_of(settings.Settings(), said)


def test_a_strategy_as_an_option() -> None:
    assert sources.strategy("sampler", "uniform") == {"use": "uniform"}
    assert sources.strategy("sampler", '{use = "fitness", pressure = 4}') == {"use": "fitness", "pressure": 4}
    with pytest.raises(SettingsError, match="--sampler"):
        sources.strategy("sampler", "{use = }")


@dataclass(frozen=True)
class Curious:
    """A strategy with arguments."""

    appetite: int = 3
    taste: float = 0.5
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.appetite < 0:
            raise ValueError("appetite must be at least 0")


def needy(food: str) -> Curious:
    return Curious(len(food))


KNOWN = {"curious": Curious, "needy": needy}


def test_a_short_name_and_a_dotted_path_make_the_same() -> None:
    assert resolve({"use": "curious", "appetite": 5, "taste": 1}, KNOWN) == Curious(5, 1)
    for path in (f"{__name__}:Curious", f"{__name__}.Curious"):
        assert resolve({"use": path, "appetite": 5}, KNOWN) == Curious(5)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({}, "no `use`"),
        ({"use": "curios"}, "Did you mean 'curious'?"),
        ({"use": "curious", "apetite": 3}, "Did you mean 'appetite'?"),
        ({"use": "curious", "appetite": "3"}, "must be of type int, not '3'"),
        ({"use": "curious", "appetite": True}, "must be of type int"),
        ({"use": "curious", "appetite": 1.5}, "must be of type int"),
        ({"use": "curious", "appetite": -1}, "at least 0"),
        ({"use": "needy"}, "needs 'food'"),
        ({"use": "nowhere.to:Be"}, "no module"),
        ({"use": "json:Nothing"}, "has no 'Nothing'"),
        ({"use": "sys:path"}, "is a list"),
    ],
)
def test_a_strategy_that_cannot_be_made(setting: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError) as told:
        resolve(setting, KNOWN)
    assert text in str(told.value)


def test_a_setting_is_written_one_way() -> None:
    assert canonical({"use": "a", "b": 1}) == canonical({"b": 1, "use": "a"}) == '{"b":1,"use":"a"}'
    for bad in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises(SettingsError):
            canonical(bad)
