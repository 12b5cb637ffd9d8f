"""Whole programs in replies: what is taken, and what is refused with which reason."""

from __future__ import annotations

import pytest

from agent.blocks import BlockError, parts, trespass
from agent.replies import remark, rewritten
from agent.types import NoProgram
from tests.proposers.cases import SEED
from tests.proposers.test_patched import CRLF, FREE, GUARDED, HALF, ONE, PLAIN, STEP, TWO, block

NEW = "a = 7\n\n\ndef f():\n    return a\n"
MOVED = SEED.replace(STEP, HALF)
BLOCK = MOVED[MOVED.index("def spread") : MOVED.index("# EVOLVE-BLOCK-END")]
UNMARKED = "".join(line for line in MOVED.splitlines(keepends=True) if "EVOLVE" not in line)
JS = {
    "program.py": "x\n// EVOLVE-BLOCK-START\nold\n// EVOLVE-BLOCK-END\n"
    "y\n/* EVOLVE-BLOCK-START */\nold\n/* EVOLVE-BLOCK-END */"
}


def whole(text: str, fence: str = "```") -> str:
    return f"{fence}python\n{text}{fence}\n"


TAKEN = {
    "a fenced program": (FREE, whole(NEW), {"program.py": NEW}),
    "prose around it": (FREE, f"First:\n{whole(NEW)}Call it so:\n```\nf()\n```\n", {"program.py": NEW}),
    "tildes": (FREE, whole(NEW, "~~~"), {"program.py": NEW}),
    "a longer fence around a fence": (FREE, whole(f"{NEW}```\n", "````"), {"program.py": f"{NEW}```\n"}),
    "thoughts first": (FREE, f"<think>{whole('b = 1')}</think>{whole(NEW)}", {"program.py": NEW}),
    "no fence at all": (FREE, NEW.rstrip("\n"), {"program.py": NEW}),
    "another file name": (FREE, f"program.py\n{whole(NEW)}", {"program.py": NEW}),
    "blocks instead": (FREE, block("a = 1", "a = 5"), {"program.py": FREE["program.py"].replace("a = 1", "a = 5")}),
    "blocks in a fence": (
        FREE,
        whole(block("b = 2", "b = 5")),
        {"program.py": FREE["program.py"].replace("b = 2", "b = 5")},
    ),
    "with markers": (ONE, whole(MOVED), {"program.py": MOVED}),
    "with markers and more outside": (ONE, whole(MOVED.replace("LIMIT = 3", "LIMIT = 9")), {"program.py": MOVED}),
    "the block alone": (ONE, whole(BLOCK), {"program.py": MOVED}),
    "all but the markers": (ONE, whole(UNMARKED), {"program.py": MOVED}),
    "carriage returns in the parent": (CRLF, whole(MOVED), {"program.py": MOVED.replace("\n", "\r\n")}),
    "two blocks of another comment style": (
        JS,
        whole("// EVOLVE-BLOCK-START\nA\n// EVOLVE-BLOCK-END\n// EVOLVE-BLOCK-START\nB\n// EVOLVE-BLOCK-END\n"),
        {"program.py": JS["program.py"].replace("old", "A", 1).replace("old", "B", 1)},
    ),
    "one file of two": (TWO, f"lib/rings.py\n{whole('n = 6')[:-4]}\n```", {**TWO, "lib/rings.py": "n = 6\n"}),
    "both files": (
        TWO,
        f"program.py\n{whole('x = 1' + chr(10))}\n**lib/rings.py**\n{whole('n = 6' + chr(10))}",
        {"program.py": "x = 1\n", "lib/rings.py": "n = 6\n"},
    ),
    "a path on the fence": (TWO, "```python lib/rings.py\nn = 6\n```", {**TWO, "lib/rings.py": "n = 6\n"}),
    "a new file": (TWO, f"more.py\n{whole('y = 1' + chr(10))}", {**TWO, "more.py": "y = 1\n"}),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_reply_is_taken(case: str) -> None:
    parent, reply, child = TAKEN[case]
    assert rewritten(reply, parent) == child
    assert trespass(parent, child) is None


REFUSED = {
    "prose": (FREE, "I would rather not.", "no program as it stands"),
    "a word that parses": (FREE, "Sorry", "defines nothing"),
    "the same": (FREE, whole(FREE["program.py"]), "changes nothing"),
    "cut off": (FREE, "```python\ndef f():\n    ret", "not closed"),
    "another number of blocks": (
        JS,
        whole("// EVOLVE-BLOCK-START\nA\n// EVOLVE-BLOCK-END\n"),
        "has 2 EVOLVE-BLOCKs, the reply has 1",
    ),
    "blocks without markers": (JS, whole("A\n"), "repeat their markers"),
    "half a marker": (ONE, whole("# EVOLVE-BLOCK-START\nx = 1\n"), "do not pair up"),
    "several files, none named": (TWO, whole("x = 5\n"), "name each before its fence"),
    "a frozen file": (GUARDED, f"rings.py\n{whole('n = 9' + chr(10))}", "must stay as it is"),
    "a new file beside a block": (GUARDED, f"more.py\n{whole('n = 9' + chr(10))}", "no file may be added"),
    "a main file of nothing": (TWO, "program.py\n```\n```\n", "program.py is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_reply_is_refused(case: str) -> None:
    parent, reply, reason = REFUSED[case]
    with pytest.raises(NoProgram) as refused:
        rewritten(reply, parent)
    assert reason in str(refused.value)


@pytest.mark.parametrize("mark", ["#", "//", "/*", "<!--", "--", "%", ";", "REM", "!"])
def test_markers_of_any_comment_style(mark: str) -> None:
    found = parts(f"a\n  {mark} EVOLVE-BLOCK-START\nb\n{mark} EVOLVE-BLOCK-END -->\nc")
    assert (found.inside, found.spans()) == ((("b\n",),), [(2, 3)])


@pytest.mark.parametrize(
    "text", ['x = "EVOLVE-BLOCK-START"\n', "# see EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-STARTING\n"]
)
def test_words_that_are_no_markers(text: str) -> None:
    assert parts(text).inside == ()


@pytest.mark.parametrize("marks", ["START", "END", "START END END", "START START END", "END START"])
def test_markers_that_do_not_pair_up(marks: str) -> None:
    with pytest.raises(BlockError):
        parts("".join(f"# EVOLVE-BLOCK-{mark}\n" for mark in marks.split()))


def test_the_remark_is_what_comes_before_the_program() -> None:
    assert (
        remark(f"<think>no</think>I halve\nthe \x1b[1mstep.\n\n{block(STEP, HALF)} and so on") == "I halve the [1mstep."
    )
    assert len(remark("word " * 500 + "\n" + PLAIN)) == 500
    assert remark("") == ""
