"""What every problem must keep to: shipped, so that authors can check theirs and our tests check ours."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

from evaluators.types import Evaluation
from problems.types import Problem
from sandboxes.types import MAIN, Files

Evaluate: TypeAlias = Callable[[Files], Evaluation]
"""Scores files with the problem's evaluator, in whatever engine the caller has; the same seed and salt every time."""

JUNK = (
    "None", "'9' * 1000", "{}", "[]", "[[[[]]]]", "{'value': 1e9, 'score': 1e9}",
    "float('nan')", "[float('nan')] * 26", "[[float('nan')] * 3] * 26", "float('inf')", "10 ** 400", "object()",
)  # fmt: skip
"""Python expressions that are an answer to nothing."""

START, END = "EVOLVE-BLOCK-START", "EVOLVE-BLOCK-END"


def check_problem(problem: Problem, evaluate: Evaluate) -> list[str]:
    """What is wrong with a problem, one sentence each; empty where nothing was found.

    It reads the statement and the map, scores the seed twice and draws it, then puts junk and crashing programs in its
    place: none may score, and none may break the scorer. It takes about 20 evaluations.

    Raises:
        Whatever `evaluate` raises where nothing can be run.
    """
    findings = [*_stated(problem), *_mapped(problem)]
    if MAIN not in problem.seed:
        return [*findings, f"the seed has no {MAIN}"]
    findings += _readable(problem.seed)
    return findings or [*_seeded(problem, evaluate), *_refusing(problem, evaluate)]


def _stated(problem: Problem) -> Iterator[str]:
    if not problem.name.isidentifier():
        yield f"the name {problem.name!r} is no identifier: use letters, digits and underscores"
    if len(problem.statement.split()) < 5:
        yield "the statement says too little for a reader to solve the problem from it"
    if problem.sense not in ("maximize", "minimize"):
        yield f"the sense is 'maximize' or 'minimize', not {problem.sense!r}"
    for record in problem.records:
        if not (math.isfinite(record.value) and record.who and record.source):
            yield f"the record {record} needs a finite value, who reached it, and a source"
        elif problem.bound is not None and problem.better(record.value, problem.bound):
            yield f"the record {record.value!r} passes the bound {problem.bound!r}: one of them is wrong"


def _mapped(problem: Problem) -> Iterator[str]:
    names = [axis.name for axis in problem.axes]
    if len(set(names)) < len(names):
        yield f"the names of the axes must differ: {', '.join(names)}"
    for axis in problem.axes:
        if not (math.isfinite(axis.low) and math.isfinite(axis.high) and axis.low < axis.high and axis.bins >= 1):
            yield f"the axis {axis.name!r} must go from a finite low up to a finite high in at least one bin"


def _readable(seed: Files) -> list[str]:
    findings = []
    for path, text in seed.items():
        if path.endswith(".py"):
            try:
                ast.parse(text, path)
            except (SyntaxError, ValueError) as error:
                findings.append(f"{path} of the seed is no Python: {error}")
        if text.count(START) != text.count(END):
            findings.append(f"{path} of the seed has {text.count(START)} {START}, but {text.count(END)} {END}")
    return findings


def _seeded(problem: Problem, evaluate: Evaluate) -> Iterator[str]:
    first, second = evaluate(problem.seed), evaluate(problem.seed)
    if first.outcome != "scored" or first.value is None:
        yield f"the seed must score; it ended as {first.outcome}: {first.feedback[:500]}"
        return
    if (first.value, dict(first.measures)) != (second.value, dict(second.measures)):
        yield (
            f"the same program must score the same twice; it scored {first.value!r} with {dict(first.measures)}, then "
            f"{second.value!r} with {dict(second.measures)}: draw chance from the generator that the scorer is given"
        )
    for axis in problem.axes:
        measure = first.measures.get(axis.name, math.nan)
        if not axis.low <= measure <= axis.high:
            yield f"the seed measures {measure!r} on the axis {axis.name!r}, outside {axis.low} … {axis.high}"
    if problem.bound is not None and problem.better(first.value, problem.bound):
        yield f"the seed's value {first.value!r} passes the bound {problem.bound!r}"
    if problem.plot is not None:
        try:
            problem.plot(first.artifact)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            yield f"the plot does not draw the seed's artifact: {error!r}"


def _refusing(problem: Problem, evaluate: Evaluate) -> Iterator[str]:
    bodies = [(f"returns {junk}", f"return {junk}") for junk in JUNK] + [("raises", "raise RuntimeError('no')")]
    for said, body in bodies:
        ended = evaluate(_stand_in(problem.seed, body))
        if ended.outcome == "scored":
            yield f"a program that {said} must not score; it scored {ended.value!r}"
        elif ended.outcome == "scorer":
            yield f"a program that {said} broke the scorer, which must raise Invalid instead: {ended.feedback[:500]}"
    empty = evaluate({**problem.seed, MAIN: ""})
    if empty.outcome in ("scored", "scorer"):
        yield f"an empty program must fail by its own fault; it ended as {empty.outcome}"


def _stand_in(seed: Files, body: str) -> Files:
    """The seed's functions, all of the same body."""
    names = [node.name for node in ast.parse(seed[MAIN]).body if isinstance(node, ast.FunctionDef)]
    return {**seed, MAIN: "\n\n".join(f"def {name}(*args, **kwargs):\n    {body}\n" for name in names)}
