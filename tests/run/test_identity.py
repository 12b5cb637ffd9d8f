import ast
from random import Random

import pytest

from agent.identity import identity
from agent.proposers.mutate import Mutate
from problems.circle_packing.problem import problem
from sandboxes.types import MAIN

PROBLEM = problem()
TABLES = "def f(i):\n    return (1.5, -2.0, 3e-4)[i % 3] + [0.5, 0.25][i % 2]\n"


def same(one: str, two: str) -> bool:
    return identity(PROBLEM, {MAIN: one}) == identity(PROBLEM, {MAIN: two})


@pytest.mark.parametrize(
    "other",
    [
        "# (9.0, 8.0) and more\n" + TABLES,
        TABLES + "\n# [9.0, 8.0]\n",
        TABLES.replace("(1.5, -2.0, 3e-4)", "( 1.50,  -2.,\n  0.0003, )"),
        TABLES.replace("i % 3", "(i%3)"),
    ],
    ids=["comment before", "comment after", "layout", "brackets"],
)
def test_comments_and_layout_do_not_count(other: str) -> None:
    assert same(TABLES, other)


@pytest.mark.parametrize(
    "other",
    [
        TABLES.replace("3e-4", "3.0000001e-4"),
        TABLES.replace("-2.0", "2.0"),
        TABLES.replace("[0.5, 0.25]", "(0.5, 0.25)"),
        TABLES.replace("[0.5, 0.25]", "[0.5, 0.25, 0.25]"),
        TABLES.replace("(1.5, -2.0, 3e-4)[i % 3] + [0.5, 0.25][i % 2]", "[0.5, 0.25][i % 3] + (1.5, -2.0, 3e-4)[i % 2]"),
    ],
    ids=["value", "sign", "kind", "length", "order"],
)
def test_values_kinds_and_order_count(other: str) -> None:
    assert not same(TABLES, other)


def test_what_stands_in_a_string_counts_as_it_is() -> None:
    text = "x = '(1.0, 2.0)'\n" + TABLES
    assert same(text, "# (3.0, 4.0)\n" + text)
    assert not same(text, text.replace("1.0, 2.0", "1.0,  2.0"))
    assert not same("x = '__table_ours_0__'\n" + TABLES, "x = '__table_ours_1__'\n" + TABLES)


def test_what_is_no_python_is_itself() -> None:
    assert same("def f(:", "def f(:")
    assert not same("def f(:", "def f( :")


def test_it_tells_apart_what_the_syntax_tree_tells_apart() -> None:
    """For a line of children, two identities are equal exactly where the trees are."""
    mutate, sources = Mutate(), [PROBLEM.seed[MAIN]]
    for step in range(150):
        sources.append(mutate.child([{MAIN: sources[-1]}, {MAIN: sources[step // 2]}], Random(f"{step}"))[0][MAIN])
    sources += [source.replace("# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-START (1.0, 2.0)") for source in sources[::7]]
    keys = {identity(PROBLEM, {MAIN: source}) for source in sources}
    trees = {ast.dump(ast.parse(source)) for source in sources}
    assert len(keys) == len(trees) < len(sources)


def test_a_program_made_to_be_slow_to_read_is_read_at_once() -> None:
    """Blanks and digits that nothing closes: what tried them twice would not end."""
    for piece in ("(1.0, 2.0" + " " * 1_000_000, "(" + "1" * 1_000_000, "(1.0" + ", 1.0" * 200_000, "(1.0, 2.0," + " " * 1_000_000):
        assert identity(PROBLEM, {MAIN: f"# {piece}"}) == identity(PROBLEM, {MAIN: ""})
