"""Symbolic mutation and crossover of a program's evolve block: the proposer that needs no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

import libcst as cst

from agent.mutation import constants, crossover, expressions, statements, tables
from agent.mutation.blocks import Block, blocks
from agent.mutation.folding import Folded, Whose, fold, unfold
from agent.mutation.pruning import pruned
from agent.mutation.tables import Tables
from agent.mutation.tree import Tree
from agent.types import Proposal, Turn, Unproposed
from archive.types import Selection
from problems.types import Problem
from sandboxes.types import Files

Operator: TypeAlias = Callable[[Tree, Tree, Random], "cst.Module | None"]
"""Changes a program, given a partner to learn from; None where it finds no place to act."""
Tuner: TypeAlias = Callable[[Tree, Tree, Random], Tables]
"""Changes the values of a program's tables alone, given a partner to learn from; empty where it finds no place to act."""

OPERATORS: tuple[tuple[Operator, float], ...] = (
    (constants.change_constant, 8.0),
    (constants.lengthen_table, 0.6),
    (constants.shorten_table, 1.0),
    (constants.specialise, 5.0),
    (constants.tabulate, 8.0),
    (expressions.change_operator, 0.4),
    (expressions.change_name, 0.4),
    (expressions.change_call, 1.5),
    (expressions.enlarge, 1.2),
    (expressions.reduce, 0.5),
    (expressions.borrow, 0.4),
    (statements.delete, 0.3),
    (statements.duplicate, 0.1),
    (statements.swap, 0.2),
    (statements.transplant, 0.1),
    (statements.repeat, 0.1),
    (statements.guard, 0.1),
    (statements.unwrap, 0.1),
    (crossover.exchange, 0.5),
)
"""Each operator with its weight in the draw."""

TUNERS: tuple[tuple[Tuner, float], ...] = (
    (tables.change_table, 1.0),
    (tables.change_group, 2.5),
    (tables.change_row, 8.0),
    (tables.mix_tables, 0.1),
    (tables.mix_rows, 0.2),
    (tables.along, 0.3),
)
"""Each operator on the values of tables with its weight in the draw."""

TUNED = frozenset(tuner.__name__ for tuner, _ in TUNERS)
"""Their children compile where the parent did: only literals differ."""
LONGEST = 20
"""Operators that are tried on one child."""
DRAWS = 60
"""How often a child is drawn before the proposer gives up."""


@dataclass(frozen=True)
class Mutate:
    """Makes a child of the parent by a few symbolic changes, some of them learnt from the other selected programs.

    It knows Python and nothing of the problem, unless the problem brings a `vary` of its own, which is then used instead.
    Text outside the EVOLVE-BLOCK markers stays byte for byte. Every child compiles, and differs from its parent.
    """

    more: float = 0.3
    """The chance of one more change after each."""
    structure: float = 6.0
    """Of a program with this many values in tables, half of the changes are to these values; with fewer no less, with more of them more."""
    growth: int = 6000
    """Characters that a block may have, at least; a larger seed may double."""
    remembered: int = 256
    """Parsed blocks that are kept."""
    _parsed: dict[str, Tree] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, problem: Problem, selection: Selection, turn: Turn) -> Proposal:
        """A child of the selection. Raises Unproposed where many draws gave nothing that compiles and is new."""
        parents = [selection.parent.files, *(entry.files for entry in selection.inspirations)]
        if problem.vary is not None:
            return Proposal(problem.vary(parents, turn.rng), "mutate", "the problem's own variation")
        files, note = self.child(parents, turn.rng, self._most(problem.seed))
        return Proposal(files, "mutate", note)

    def child(self, parents: Sequence[Files], rng: Random, most: int = 6000) -> tuple[Files, str]:
        """Changed files, and the names of the operators that changed them, in order.

        Args:
            parents: the program to change, then others to learn from.
            rng: the only source of chance.
            most: characters that a block may have, unless it had more already.

        Raises:
            Unproposed: no Python file has a block that can be changed, or many draws gave nothing new that compiles.
        """
        places = [(path, block) for path in sorted(parents[0]) if path.endswith(".py") for block in blocks(parents[0][path])]
        places = [(path, block) for path, block in places if self._tree(block.text) is not None]
        if not places:
            raise Unproposed("no Python file of the parent has a block that can be parsed and changed")
        for _ in range(DRAWS):
            path, block = rng.choices(places, [1 + len(block.text) for _, block in places])[0]
            try:
                text, applied = self._varied(block.text, self._partner(parents, path, block, rng), rng)
            except RecursionError:  # nested deeper than a syntax tree can be walked
                continue
            if text == block.text or len(text) > max(most, len(block.text)):
                continue
            whole = block.around(text)
            if applied[0] in TUNED or _compiles(whole, path):
                return {**parents[0], path: whole}, ", ".join(applied)
        raise Unproposed(f"{DRAWS} draws gave no new program that compiles")

    def _varied(self, text: str, partner: Tree, rng: Random) -> tuple[str, list[str]]:
        """The text after some changes, and the names of the operators that made them."""
        tree = self._tree(text)
        assert tree is not None
        entries = sum(len(tree.table(place)) for place in tree.tables)
        share = max(0.5, entries / (entries + self.structure)) if entries else 0.0
        return self._tuned(tree, partner, rng) if rng.random() < share else self._changed(tree, partner, rng)

    def _tuned(self, tree: Tree, partner: Tree, rng: Random) -> tuple[str, list[str]]:
        """Other values in tables."""
        applied: list[str] = []
        operators, weights = zip(*TUNERS, strict=True)
        for _ in range(LONGEST):
            tuner: Tuner = rng.choices(operators, weights)[0]
            if new := tuner(tree, partner, rng):
                tree = tree.holding({**tree.sources, **new})
                applied.append(tuner.__name__)
                if rng.random() >= self.more:
                    break
        return tree.unfolded(tree.text), applied

    def _changed(self, tree: Tree, partner: Tree, rng: Random) -> tuple[str, list[str]]:
        """Another program."""
        applied: list[str] = []
        operators, weights = zip(*OPERATORS, strict=True)
        text = ""
        for _ in range(LONGEST):
            operator: Operator = rng.choices(operators, weights)[0]
            module = operator(tree, partner, rng)
            if module is not None:
                applied.append(operator.__name__)
                text = unfold(pruned(module.code), {**partner.sources, **tree.sources})
                changed = _tree_of(fold(text)) if rng.random() < self.more else None
                if changed is None:
                    break
                tree = changed
        return text or tree.unfolded(tree.text), applied

    def _partner(self, parents: Sequence[Files], path: str, block: Block, rng: Random) -> Tree:
        others = [other for files in parents[1:] if path in files for other in blocks(files[path])]
        chosen = rng.choice(others) if others else block
        return self._tree(chosen.text, "theirs") or self._tree(block.text, "theirs") or Tree.of(Folded(""))

    def _tree(self, text: str, whose: Whose = "ours") -> Tree | None:
        """The tree of a block; None where it is no Python by itself."""
        folded = fold(text, whose)
        tree = self._parsed.pop(folded.text, None)
        if tree is None:
            tree = _tree_of(folded)
            if tree is None:
                return None
            if len(self._parsed) >= self.remembered:
                del self._parsed[next(iter(self._parsed))]
        self._parsed[folded.text] = tree
        return tree.holding(folded.tables)

    def _most(self, seed: Files) -> int:
        return max(self.growth, 2 * max(map(len, seed.values()), default=0))


def _tree_of(folded: Folded) -> Tree | None:
    """The tree of a text; None where it is no Python by itself."""
    try:
        return Tree.of(folded)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def _compiles(text: str, path: str) -> bool:
    try:
        compile(text, path, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
