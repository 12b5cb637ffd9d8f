"""Statements: left out, doubled, moved, copied elsewhere, repeated, or made conditional."""

from __future__ import annotations

from random import Random

import libcst as cst

from agent.mutation.expressions import COMPARISONS, material
from agent.mutation.tree import Place, Tree, code, get

FEW = (2, 2, 3, 4, 6, 10)
"""How often a statement is repeated."""


def movable(tree: Tree) -> list[Place]:
    """Statements that can be left out or moved: no definitions, imports, returns or docstrings."""
    return [place for place in tree.statements if place.scope.function and _plain(place.node)]


def _plain(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.For | cst.If):
        return True
    if not isinstance(node, cst.SimpleStatementLine):
        return False
    return isinstance(node.body[0], cst.Assign | cst.AugAssign | cst.Expr) and not (
        isinstance(node.body[0], cst.Expr) and isinstance(node.body[0].value, cst.SimpleString)
    )


def delete(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A statement left out."""
    places = movable(tree)
    if not places:
        return None
    place = rng.choice(places)
    name, _ = place.path[-1]
    if name != "body" or len(getattr(get(tree.module, place.path[:-1]), name)) < 2:
        return None
    return tree.put(place.path, cst.RemoveFromParent())


def duplicate(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A statement, twice."""
    places = [place for place in movable(tree) if place.path[-1][0] == "body"]
    if not places:
        return None
    place = rng.choice(places)
    return tree.insert(place.path, place.node)


def swap(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A statement and the next one, in the other order."""
    places = [place for place in movable(tree) if place.path[-1][0] == "body"]
    if not places:
        return None
    *above, (name, index) = rng.choice(places).path
    body = get(tree.module, tuple(above))
    row = list(getattr(body, name))
    if index + 1 >= len(row):
        return None
    row[index], row[index + 1] = row[index + 1], row[index]
    return tree.put(tuple(above), body.with_changes(**{name: row}))


def transplant(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A copy of a statement, of the program or the partner, somewhere else in the function of the same name."""
    found = movable(rng.choice((tree, partner)))
    if not found:
        return None
    chosen = rng.choice(found)
    places = [place for place in movable(tree) if place.scope.function == chosen.scope.function and place.path[-1][0] == "body"]
    if not places:
        return None
    place = rng.choice(places)
    if chosen.path == place.path[: len(chosen.path)]:
        return None
    return tree.insert(place.path, chosen.node)


def repeat(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A statement in a loop of its own."""
    places = [place for place in movable(tree) if place.scope.depth < 2]
    if not places:
        return None
    place = rng.choice(places)
    loop = cst.parse_statement(f"for _ in range({rng.choice(FEW)}):\n    pass\n")
    assert isinstance(loop, cst.For)
    return tree.put(place.path, loop.with_changes(body=_block(place.node)))


def guard(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A statement under a condition."""
    places = [place for place in movable(tree) if place.path[-1][0] == "body"]
    if not places:
        return None
    place = rng.choice(places)
    left, right = material(tree, tree, place, rng), material(tree, tree, place, rng)
    if left is None or right is None:
        return None
    branch = cst.parse_statement(f"if {left} {rng.choice(COMPARISONS)} {right}:\n    pass\n")
    assert isinstance(branch, cst.If)
    return tree.put(place.path, branch.with_changes(body=_block(place.node)))


def _block(node: cst.CSTNode) -> cst.IndentedBlock:
    assert isinstance(node, cst.BaseStatement | cst.SimpleStatementLine)
    return cst.IndentedBlock(body=[node])


def unwrap(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """The body of a loop or condition in its place."""
    places = [place for place in movable(tree) if isinstance(place.node, cst.If | cst.For) and place.path[-1][0] == "body"]
    if not places:
        return None
    place = rng.choice(places)
    assert isinstance(place.node, cst.If | cst.For)
    counting = isinstance(place.node, cst.For) and code(place.node.target) != "_"
    if counting or not isinstance(place.node.body, cst.IndentedBlock):
        return None
    *above, (name, index) = place.path
    body = get(tree.module, tuple(above))
    row = list(getattr(body, name))
    row[index : index + 1] = place.node.body.body
    return tree.put(tuple(above), body.with_changes(**{name: row}))
