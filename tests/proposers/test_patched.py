"""SEARCH/REPLACE replies, well and badly written: what is taken, and what is refused with which reason."""

from __future__ import annotations

import pytest

from agent.replies import PROGRAM, patched
from agent.types import NoProgram
from sandboxes.types import Files
from tests.proposers.cases import SEED

ONE = {"program.py": SEED}
CRLF = {"program.py": SEED.replace("\n", "\r\n")}
FREE = {"program.py": "a = 1\nb = 2\n\n\ndef f():\n    if a:\n        return b\n    return 0\n"}
NO_END = {"program.py": "a = 1\nb = 2"}
TWO = {"program.py": "import rings\n\nx = 1\n", "lib/rings.py": "n = 5\nx = 2\n"}
GUARDED = {"program.py": SEED, "rings.py": "n = 5\n"}
RULED = {"program.py": '"""\nTitle\n=======\ntext\n"""\nx = 1\n'}
TABS = {"program.py": "def f():\n\treturn 1\n"}


def block(search: str, replace: str) -> str:
    below = f"{replace}\n" if replace else ""
    return f"<<<<<<< SEARCH\n{search}\n=======\n{below}>>>>>>> REPLACE\n"


STEP, HALF = "    step = 1.0 / n", "    step = 0.5 / n"
PLAIN = block(STEP, HALF)
CHANGED = ("program.py", STEP, HALF)

TAKEN = {
    "a plain block": (ONE, PLAIN, CHANGED),
    "reasoning around it": (ONE, f"I halve it.\n\n{PLAIN}\nThat is all.", CHANGED),
    "a fence around it": (ONE, f"```python\n{PLAIN}```\n", CHANGED),
    "a diff fence around it": (ONE, f"~~~diff\n{PLAIN}~~~", CHANGED),
    "fences within the sections": (ONE, block(f"```python\n{STEP}\n```", f"```python\n{HALF}\n```"), CHANGED),
    "thoughts with a draft": (ONE, f"<think>{block(STEP, 'x')}</think>\n{PLAIN}", CHANGED),
    "thoughts that a template opened": (ONE, f"hm {block(STEP, 'x')}\n</think>\n{PLAIN}", CHANGED),
    "carriage returns in the reply": (ONE, PLAIN.replace("\n", "\r\n"), CHANGED),
    "carriage returns in the parent": (CRLF, PLAIN, CHANGED),
    "trailing white space in SEARCH": (ONE, block(STEP + "   ", HALF), CHANGED),
    "no indentation": (ONE, block(STEP.strip(), HALF.strip()), CHANGED),
    "too much indentation": (ONE, block("    " + STEP, "    " + HALF), CHANGED),
    "other white space within a line": (ONE, block("    step  =  1.0 / n", HALF), CHANGED),
    "blank lines around both": (ONE, block(f"\n{STEP}\n", f"\n{HALF}\n"), CHANGED),
    "the markers repeated": (
        ONE,
        block(
            f'# EVOLVE-BLOCK-START\ndef spread(n):\n    """Points on a line."""\n{STEP}',
            f'# EVOLVE-BLOCK-START\ndef spread(n):\n    """Points on a line."""\n{HALF}',
        ),
        CHANGED,
    ),
    "shorter marks": (
        ONE,
        PLAIN.replace("<<<<<<<", "<<<<<").replace("=======", "=====").replace(">>>>>>>", ">>>>>"),
        CHANGED,
    ),
    "a bare end": (ONE, PLAIN.replace(">>>>>>> REPLACE", ">>>>>>>"), CHANGED),
    "marks without a space": (ONE, PLAIN.replace("< SEARCH", "<SEARCH").replace("> REPLACE", ">REPLACE"), CHANGED),
    "indented marks": (ONE, "\n".join(("  " + x if x[:1] in "<=>" else x) for x in PLAIN.split("\n")), CHANGED),
    "an unknown name before it, one file": (ONE, f"solution.py\n{PLAIN}", CHANGED),
    "a deletion": (FREE, block("b = 2", ""), ("program.py", "b = 2\n", "")),
    "an insertion": (FREE, block("b = 2", "b = 2\nc = 3"), ("program.py", "b = 2\n", "b = 2\nc = 3\n")),
    "an insertion with its own indentation": (
        FREE,
        block("if a:\n    return b", "if a:\n    a = 2\n    return b"),
        ("program.py", "        return b\n", "        a = 2\n        return b\n"),
    ),
    "a last line without an end": (NO_END, block("b = 2", "b = 3\nc = 4"), ("program.py", "b = 2", "b = 3\nc = 4")),
    "two blocks": (FREE, block("a = 1", "a = 5") + block("b = 2", "b = 2"), ("program.py", "a = 1", "a = 5")),
    "a block on what another wrote": (
        FREE,
        block("a = 1", "a = 5\nz = 1") + block("z = 1", "z = 2"),
        ("program.py", "a = 1", "a = 5\nz = 2"),
    ),
    "the divider as a line of the program": (
        RULED,
        block("Title\n=======\ntext", "Title\n=======\nmore"),
        ("program.py", "text", "more"),
    ),
    "the divider in what is put there": (
        RULED,
        block("text", "text\n=======\nmore"),
        ("program.py", "text", "text\n=======\nmore"),
    ),
    "a file named": (TWO, f"lib/rings.py\n{block('x = 2', 'x = 3')}", ("lib/rings.py", "x = 2", "x = 3")),
    "a file named in bold": (
        TWO,
        f"**`lib/rings.py`**:\n\n```python\n{block('n = 5', 'n = 6')}```",
        ("lib/rings.py", "n = 5", "n = 6"),
    ),
    "a file named by a heading": (
        TWO,
        f"### File: program.py\n{block('x = 1', 'x = 3')}",
        ("program.py", "x = 1", "x = 3"),
    ),
    "no file named, but found in one": (TWO, block("n = 5", "n = 6"), ("lib/rings.py", "n = 5", "n = 6")),
    "tabs": (TABS, block("\treturn 1", "\treturn 2"), ("program.py", "return 1", "return 2")),
    "a character of another script": (FREE, block("a = 1", "a = 'é→π'"), ("program.py", "a = 1", "a = 'é→π'")),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_reply_is_taken(case: str) -> None:
    parent, reply, (path, old, new) = TAKEN[case]
    end = "\r\n" if "\r\n" in parent[path] else "\n"
    assert parent[path].count(old) == 1
    assert patched(reply, parent) == {**parent, path: parent[path].replace(old, new.replace("\n", end))}


def test_a_new_file() -> None:
    child = patched("lib/more.py\n" + block("", "y = 1"), TWO)
    assert child == {**TWO, "lib/more.py": "y = 1\n"}


REFUSED: dict[str, tuple[Files, str, str]] = {
    "nothing": (ONE, "", "it is empty"),
    "prose": (ONE, "I am sorry, I cannot.", "no SEARCH/REPLACE block. It begins:\n    I am"),
    "a whole program": (ONE, f"```python\n{SEED}```", "no SEARCH/REPLACE block"),
    "no change": (ONE, block(STEP, STEP), "changes nothing"),
    "an unknown line": (
        ONE,
        block("    step = 9.0 / n", HALF),
        "closest lines are 11 to 13 of program.py:\n        step = 1",
    ),
    "half a line": (ONE, block("step = 1.0", "step = 2.0"), "SEARCH lines are not in program.py"),
    "a line that is in two places": (FREE, block("    return", "    return 1"), "are not in program.py"),
    "two places": (
        {"program.py": "a\nb\na\n"},
        block("a", "c"),
        "stand in 2 places (program.py line 1, program.py line 3)",
    ),
    "two files": ({"program.py": "x = 1\n", "r.py": "x = 1\n"}, block("x = 1", "x = 2"), "stand in 2 places"),
    "the other file named": (
        TWO,
        f"program.py\n{block('n = 5', 'n = 6')}",
        "are not in program.py (there are lib/rings.py, p",
    ),
    "outside the block": (ONE, block("LIMIT = 3", "LIMIT = 9"), "this one lies outside: 'LIMIT = 3'"),
    "across the end of the block": (
        ONE,
        block("# EVOLVE-BLOCK-END\n\n\ndef points(n):", "\ndef points(n):"),
        "markers",
    ),
    "an end smuggled in": (
        ONE,
        block(STEP, f"{STEP}\n# EVOLVE-BLOCK-END\nLIMIT = 9\n# EVOLVE-BLOCK-START"),
        "markers were added",
    ),
    "half a marker smuggled in": (ONE, block(STEP, f"{STEP}\n# EVOLVE-BLOCK-END"), "must stay as they are"),
    "a file without a block": (GUARDED, f"rings.py\n{block('n = 5', 'n = 6')}", "has no EVOLVE-BLOCK and must stay"),
    "a new file beside a block": (GUARDED, f"more.py\n{block('', 'y = 1')}", "only the EVOLVE-BLOCKs"),
    "a new file elsewhere": (TWO, f"../more.py\n{block('', 'y = 1')}", "no plain relative path"),
    "a new file above": (TWO, f"lib/../../more.py\n{block('', 'y = 1')}", "no plain relative path"),
    "an empty SEARCH": (ONE, block("", "y = 1"), "its SEARCH section is empty"),
    "no end": (ONE, PLAIN.replace(">>>>>>> REPLACE", ""), "was the reply cut off?"),
    "no end before the next": (
        ONE,
        PLAIN.replace(">>>>>>> REPLACE\n", "") + PLAIN,
        "block 1 has no line '>>>>>>> REPLACE' before",
    ),
    "no divider": (ONE, PLAIN.replace("=======\n", ""), "block 1 has no line '======='"),
    "unfinished thoughts": (ONE, f"<think>\n{PLAIN}", "ends within its thoughts"),
    "one block of two": (
        FREE,
        block("a = 1", "a = 5") + block("q = 1", "q = 5"),
        "block 2: its SEARCH lines are not in",
    ),
    "the same block twice": (ONE, PLAIN + PLAIN, "block 2: its SEARCH lines are not in"),
    "too long a program": (FREE, block("a = 1", "a = '" + "x" * PROGRAM + "'"), "at most 200,000 are taken"),
    "too long a reply": (FREE, "x" * 2_000_001, "at most 2,000,000 are read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_reply_is_refused(case: str) -> None:
    parent, reply, reason = REFUSED[case]
    with pytest.raises(NoProgram) as refused:
        patched(reply, parent)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 5000


def test_a_program_of_fifteen_thousand_characters_is_taken() -> None:
    long = "\n".join(f"    x{i} = {i}" for i in range(1000))
    assert long in patched(block(STEP, f"{STEP}\n{long}"), ONE)["program.py"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "reply",
    [
        "<<<<<<< SEARCH\n" * 50_000,
        block(" " * 500_000, "x"),
        block("a = 2\n" * 20_000, "x"),
        "#" * 100_000 + " EVOLVE-BLOCK-START",
        block("a = 1", "#" * 90_000 + " EVOLVE-BLOCK-START " + " " * 90_000),
        "=======\n" * 100_000 + PLAIN,
        "```" * 100_000,
    ],
)
def test_a_hostile_reply_is_refused_in_time(reply: str) -> None:
    with pytest.raises(NoProgram):
        patched(reply, {"program.py": "a = 1\n" + "a = 2\n" * 10_000})
