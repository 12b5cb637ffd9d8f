"""The text of a reply becomes files. Pure; what cannot be read is refused with a reason that helps to do better."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from agent.blocks import BlockError, lines_of, marked, parts, trespass
from agent.fences import Fenced, fenced, safe, without_thoughts
from agent.hunks import OPEN, apply, excerpt, hunks
from agent.types import NoProgram
from sandboxes.types import MAIN, Files

PROGRAM = 200_000
"""Characters of all files of a program."""
REPLY = 2_000_000
"""Characters of a reply that is read."""


def patched(reply: str, parent: Files) -> Files:
    """The parent with the SEARCH/REPLACE blocks of a reply applied, one after another, all or none.

    Raises:
        NoProgram: there is no block, one is malformed, fits nowhere or in several places, changes what lies outside an
            EVOLVE-BLOCK; or nothing has changed, or the program is too long.
    """
    lines = _read(reply)
    files: Files = parent
    found = 0
    for hunk in hunks(lines):
        files = apply(hunk, files)
        outside = trespass(parent, files)
        if outside is not None:
            raise NoProgram(f"block {hunk.number}: {outside}")
        found += 1
    if not found:
        raise NoProgram(f"the reply has no SEARCH/REPLACE block{_beginning(lines)}")
    return _checked(files, parent)


def rewritten(reply: str, parent: Files) -> Files:
    """The parent with a reply's program in its place: in its EVOLVE-BLOCKs if it has any, else in whole files.

    A reply to a parent of one file has it in its longest fenced block, or is the program as it stands; files of a
    larger parent are named before their fences, and those that are not named stay. Blocks of `patched` are taken too.

    Raises:
        NoProgram: no program is found, it was cut off, its EVOLVE-BLOCKs are not the parent's, nothing has changed, or
            it is too long.
    """
    lines = _read(reply)
    blocks = list(fenced(lines))
    body = max(blocks, key=lambda block: len("\n".join(block.lines)), default=None)
    if any(map(OPEN.match, lines if body is None else body.lines)):
        return patched(reply, parent)
    if body is not None and not body.closed:
        raise NoProgram("the last fence of the reply is not closed: was the reply cut off?")
    if body is None:
        files = {**parent, _only(parent): _woven(parent, _only(parent), _bare(lines))}
    elif len(parent) == 1 and body.path in (None, *parent):
        files = {**parent, _only(parent): _woven(parent, _only(parent), body.lines)}
    else:
        files = _several(parent, blocks)
    outside = trespass(parent, files)
    if outside is not None:
        raise NoProgram(outside)
    return _checked(files, parent)


def remark(reply: str) -> str:
    """What a reply says before its first block or fence, its author's word on the change: at most 500 characters."""
    lines = (without_thoughts(reply[:REPLY]) or "").split("\n")
    ends = [i for i, line in enumerate(lines) if OPEN.match(line) or line.lstrip().startswith(("```", "~~~"))]
    text = " ".join("".join(c if c.isprintable() else " " for c in " ".join(lines[: ends[0] if ends else 0])).split())
    return text if len(text) <= 500 else text[:499] + "…"


def _read(reply: str) -> list[str]:
    if len(reply) > REPLY:
        raise NoProgram(f"the reply has {len(reply):,} characters; at most {REPLY:,} are read")
    text = without_thoughts(reply)
    if text is None:
        raise NoProgram("the reply ends within its thoughts: was it cut off?")
    return text.split("\n")


def _checked(files: Files, parent: Files) -> Files:
    size = sum(map(len, files.values()))
    if size > PROGRAM:
        raise NoProgram(f"the program has {size:,} characters; at most {PROGRAM:,} are taken")
    if files == parent:
        raise NoProgram("the reply changes nothing: the program is as it was")
    return files


def _beginning(lines: Sequence[str]) -> str:
    said = [line for line in lines if line.strip()]
    return f". It begins:\n{excerpt(said[:3])}" if said else ": it is empty"


def _only(parent: Files) -> str:
    """The file that a program without a path is meant for."""
    if len(parent) == 1:
        return next(iter(parent))
    inside = [path for path in sorted(parent) if parts(parent[path]).inside]
    if len(inside) == 1:
        return inside[0]
    raise NoProgram(f"the program has several files ({', '.join(sorted(parent))}): name each before its fence")


def _bare(lines: Sequence[str]) -> Sequence[str]:
    """A reply that is Python as it stands, and does something."""
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NoProgram(f"the reply has no fenced block, and is no program as it stands{_beginning(lines)}") from error
    if not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign) for node in tree.body):
        raise NoProgram(f"the reply has no fenced block, and defines nothing{_beginning(lines)}")
    return lines


def _several(parent: Files, blocks: Sequence[Fenced]) -> dict[str, str]:
    files = dict(parent)
    for block in blocks:
        path = block.path
        if path is None or not safe(path):
            continue
        if not block.closed:
            raise NoProgram(f"the fence of {path} is not closed: was the reply cut off?")
        files[path] = _woven(parent, path, block.lines) if path in parent else "".join(f"{x}\n" for x in block.lines)
    if files == dict(parent) and not any(block.path for block in blocks):
        files[_only(parent)] = _woven(parent, _only(parent), max(blocks, key=lambda b: len("\n".join(b.lines))).lines)
    if MAIN in parent and not files[MAIN].strip():
        raise NoProgram(f"{MAIN} is empty")
    return files


def _woven(parent: Files, path: str, lines: Sequence[str]) -> str:
    """A file's new text: the given lines within its EVOLVE-BLOCKs, or the lines alone where the parent has none."""
    old = parent[path]
    end = "\r\n" if "\r\n" in old else "\n"
    text = "".join(f"{line}{end}" for line in lines)
    kept = parts(old)
    if not marked(parent) or not kept.inside:
        return text
    try:
        new = parts(text)
    except BlockError as error:
        raise NoProgram(f"the EVOLVE-BLOCK markers of {path} do not pair up: {error}") from error
    if new.inside and len(new.inside) != len(kept.inside):
        raise NoProgram(f"{path} has {len(kept.inside)} EVOLVE-BLOCKs, the reply has {len(new.inside)}")
    if new.inside:
        return kept.join(new.inside)
    if len(kept.inside) > 1:
        raise NoProgram(
            f"{path} has {len(kept.inside)} EVOLVE-BLOCKs: repeat their markers, so that each finds its place"
        )
    return kept.join([_within(lines_of(text), kept.outside[0][:-1], kept.outside[1][1:])])


def _within(lines: list[str], before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines of a block in a program without its markers: less what the parent has before and after its block."""

    def same(ours: Sequence[str], theirs: Sequence[str]) -> bool:
        return [line.strip() for line in ours] == [line.strip() for line in theirs]

    full = [i for i, line in enumerate(before) if line.strip()]
    head = len(before[: full[-1] + 1]) if full else 0
    if head and same(lines[:head], before[:head]):
        lines = _full(lines[head:])
    rest = [line for line in after if line.strip()]
    last = [i for i, line in enumerate(lines) if line.strip()][-len(rest) :] if rest else []
    if rest and len(last) == len(rest) and same([lines[i] for i in last], rest):
        lines = _full(lines[: last[0]])
    return lines


def _full(lines: list[str]) -> list[str]:
    """Without blank lines at either end."""
    full = [i for i, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1] if full else []
