"""The map of elites, drawn with characters: the best value of each cell, over all islands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from archive.types import Entry, Run
from problems.types import Axis, Cell

K = TypeVar("K")
SHADES = " ░▒▓█"
SMALL = 40
"""Columns of the small map."""


def axes(run: Run) -> tuple[Axis, ...]:
    """The axes as the file states them."""
    return tuple(Axis(str(a["name"]), float(a["low"]), float(a["high"]), int(a["bins"])) for a in run.axes)


def cells(run: Run, entries: Iterable[Entry]) -> dict[Cell, Entry]:
    """The best entry of each cell; the first of equals."""
    found: dict[Cell, Entry] = {}
    grid = axes(run)
    for entry in entries:
        cell = tuple(axis.bin(entry.evaluation.measures[axis.name]) for axis in grid)
        if cell not in found or better(run, entry.value, found[cell].value):
            found[cell] = entry
    return found


def better(run: Run, value: float, than: float) -> bool:
    """Whether a value beats another in the sense of the run."""
    return value > than if run.sense == "maximize" else value < than


def flat(run: Run, filled: Mapping[Cell, float]) -> dict[tuple[int, int], float]:
    """The map on its first two axes: the best over the others. A missing axis has one bin."""
    found: dict[tuple[int, int], float] = {}
    for cell, value in filled.items():
        place = (cell[0] if cell else 0, cell[1] if len(cell) > 1 else 0)
        if place not in found or better(run, value, found[place]):
            found[place] = value
    return found


def drawn(run: Run, filled: Mapping[Cell, float], width: int) -> list[str]:
    """The map in lines of at most `width` characters: values where they fit, shades where they do not."""
    grid = axes(run)
    if not grid:
        return ["no axes: all programs contest one cell", *(f"  {value:.10g}" for value in filled.values())]
    if len(grid) == 1:
        return _bars(run, grid[0], {cell[0]: value for cell, value in filled.items()}, width)
    lines = _table(run, grid, flat(run, filled), width)
    if len(grid) > 2:
        lines.append(f"each place: the best over {', '.join(axis.name for axis in grid[2:])}")
    return lines


def small(run: Run, filled: Mapping[Cell, float], rows: int = 8) -> list[str]:
    """The map as a few lines of shades: the darker, the better."""
    grid = axes(run)
    if not grid:
        return []
    bins_x, bins_y = grid[0].bins, grid[1].bins if len(grid) > 1 else 1
    across, down = min(bins_x, SMALL), min(bins_y, rows)
    found: dict[tuple[int, int], float] = {}
    for (x, y), value in flat(run, filled).items():
        place = (x * across // bins_x, y * down // bins_y)
        if place not in found or better(run, value, found[place]):
            found[place] = value
    shades = _shades(run, found)
    return ["".join(shades.get((x, y), "·") for x in range(across)) for y in reversed(range(down))]


def _bars(run: Run, axis: Axis, values: Mapping[int, float], width: int) -> list[str]:
    shown = {i: f"{value:.10g}" for i, value in values.items()}
    labels = [f"{_edge(axis, i):>9} … {_edge(axis, i + 1):<9}" for i in range(axis.bins)]
    room = max(4, min(40, width - 24 - max(map(len, shown.values()), default=1)))
    lengths = _lengths(run, values, room)
    lines = [f"{axis.name}: {len(values)} of {axis.bins} cells filled"]
    for i, label in enumerate(labels):
        lines.append(f"{label} {shown[i]} {'█' * lengths[i]}" if i in shown else f"{label} ·")
    return lines


def _table(run: Run, grid: Sequence[Axis], values: Mapping[tuple[int, int], float], width: int) -> list[str]:
    across, down = grid[0], grid[1]
    lines = [f"{down.name} ↑   {across.name} →", f"{len(values)} of {across.bins * down.bins} cells filled"]
    place = next((room for room in (8, 2) if 10 + room * across.bins <= width), 1)
    shades = _shades(run, values)
    for y in reversed(range(down.bins)):
        if place == 8:
            places = [f"{values[x, y]:>8.5g}" if (x, y) in values else f"{'·':>8}" for x in range(across.bins)]
        else:
            places = [place * shades[x, y] if (x, y) in values else f"{'·':<{place}}" for x in range(across.bins)]
        lines.append(f"{_edge(down, y):>9} " + "".join(places).rstrip())
    lines.append(" " * 10 + f"{across.low:g} … {across.high:g}")
    if place < 8 and values:
        lines.append(f"from {_worst(run, values.values()):.6g} ░ to {_best(run, values.values()):.6g} █")
    return lines


def _shades(run: Run, values: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], str]:
    return {place: SHADES[length] for place, length in _lengths(run, values, len(SHADES) - 1).items()}


def _lengths(run: Run, values: Mapping[K, float], longest: int) -> dict[K, int]:
    """From 1 for the worst value to `longest` for the best."""
    if not values:
        return {}
    low, high = _worst(run, values.values()), _best(run, values.values())
    if low == high:
        return dict.fromkeys(values, longest)
    return {place: 1 + round((value - low) / (high - low) * (longest - 1)) for place, value in values.items()}


def _best(run: Run, values: Iterable[float]) -> float:
    return max(values) if run.sense == "maximize" else min(values)


def _worst(run: Run, values: Iterable[float]) -> float:
    return min(values) if run.sense == "maximize" else max(values)


def _edge(axis: Axis, i: int) -> str:
    return f"{axis.low + (axis.high - axis.low) * i / axis.bins:.4g}"
