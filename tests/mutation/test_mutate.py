import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent.mutation.blocks import blocks
from agent.proposers.mutate import Mutate
from agent.types import Proposal, Turn, Unproposed
from archive.types import Candidate, Entry, Selection
from evaluators.types import Evaluation
from problems.bin_packing.problem import problem as bin_packing
from problems.circle_packing.problem import problem as circle_packing
from problems.types import Problem
from sandboxes.types import MAIN, Files

PROBLEMS = [circle_packing(), bin_packing()]

MARKED = '''"""Text that nobody may touch."""\r
import math   \t# odd   spacing
CONSTANT = 3.0


class Holder:
    # EVOLVE-BLOCK-START here
    def value(self, x):
        """Inside a class."""
        total = 0.0
        for i in range(5):
            total += math.sin(0.5 * x) + i  # a comment
        return total
    # EVOLVE-BLOCK-END

    def other(self): return  2.0


# EVOLVE-BLOCK-START
def outer(a, b=1.5):
    if a > b:
        return [a * 2.0 for _ in range(3)]
    return [min(a, b, 0.25)]
# EVOLVE-BLOCK-END
print( "never touched" )
'''


def unasked(*_: Any) -> Any:
    raise AssertionError("Mutate asks no model")


def proposed(problem: Problem, parents: Sequence[Files], step: int, mutate: Mutate | None = None) -> Proposal:
    entries = tuple(Entry(Candidate(i, files, (), "seed"), Evaluation("scored", 1.0)) for i, files in enumerate(parents))
    turn = Turn(step, Random(f"7/{step}/propose"), unasked)
    return (mutate or Mutate())(problem, Selection(entries[0], entries[1:]), turn)


def children(seed: Files, count: int) -> list[Files]:
    """A line of descent, each with the one before and the seed to learn from."""
    mutate, found = Mutate(), [seed]
    for step in range(count):
        files, _ = mutate.child([found[-1], *found[-3:]], Random(f"3/{step}"))
        found.append(files)
    return found[1:]


@pytest.mark.parametrize("source", [*(problem.seed[MAIN] for problem in PROBLEMS), MARKED], ids=["circles", "bins", "odd"])
def test_text_outside_the_blocks_stays_byte_for_byte(source: str) -> None:
    for files in children({MAIN: source}, 60):
        assert frame(files[MAIN]) == frame(source)


def frame(source: str) -> str:
    """The lines outside the blocks, markers included."""
    kept, inside = [], False
    for line in source.splitlines(keepends=True):
        inside = inside and "EVOLVE-BLOCK-END" not in line
        if not inside:
            kept.append(line)
        inside = inside or "EVOLVE-BLOCK-START" in line
    return "".join(kept)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_every_child_compiles_and_differs_from_its_parent(problem: Problem) -> None:
    parent = problem.seed
    for step in range(80):
        child = proposed(problem, [parent, problem.seed], step)
        compile(child.files[MAIN], MAIN, "exec")
        assert child.files[MAIN] != parent[MAIN]
        assert child.author == "mutate"
        assert child.note
        parent = child.files


def test_blocks_stay_within_their_bound() -> None:
    for files in children(circle_packing().seed, 150):
        assert len(blocks(files[MAIN])[0].text) <= 6000


def test_the_same_draw_gives_the_same_child_in_any_process() -> None:
    seed = circle_packing().seed
    here = [files[MAIN] for files in children(seed, 12)]
    script = (
        "from tests.mutation.test_mutate import children, circle_packing, MAIN\n"
        "import hashlib\n"
        "made = [files[MAIN] for files in children(circle_packing().seed, 12)]\n"
        "import sys; sys.stdout.write(hashlib.sha256(''.join(made).encode()).hexdigest())"
    )
    import hashlib

    expected = hashlib.sha256("".join(here).encode()).hexdigest()
    root = Path(__file__).parent.parent.parent
    for hash_seed in ("1", "2"):
        ran = subprocess.run([sys.executable, "-c", script], cwd=root, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True)
        assert ran.stdout == expected, ran.stderr


def test_what_it_remembers_changes_nothing() -> None:
    seed = circle_packing().seed
    warm = Mutate()
    for step in range(20):
        warm.child([seed], Random(f"{step}"))
    assert warm.child([seed], Random("x")) == Mutate(remembered=1).child([seed], Random("x"))


def test_a_file_without_markers_is_changed_as_a_whole() -> None:
    files, note = Mutate().child([{"program.py": "def f(x):\n    return x * 2.0 + 1\n"}], Random("1"))
    assert files["program.py"] != "def f(x):\n    return x * 2.0 + 1\n"
    assert note


def test_other_files_are_left_alone() -> None:
    seed = {"program.py": "def f(x):\n    return x * 2.0\n", "notes.txt": "2.0", "data.json": "[1.0]"}
    files, _ = Mutate().child([seed], Random("1"))
    assert {name: files[name] for name in ("notes.txt", "data.json")} == {"notes.txt": "2.0", "data.json": "[1.0]"}


@pytest.mark.parametrize(
    "files",
    [{"notes.txt": "1.0"}, {"program.py": "def f(:\n"}, {"program.py": "# EVOLVE-BLOCK-END\nx = 1.0\n"}, {"program.py": ""}],
    ids=["no python", "no syntax", "half a marker", "empty"],
)
def test_nothing_to_change_is_said(files: Files) -> None:
    with pytest.raises(Unproposed):
        Mutate().child([files], Random("1"))


def test_a_problem_may_bring_its_own_variation() -> None:
    def vary(parents: Sequence[Files], rng: Random) -> Files:
        return {MAIN: f"x = {rng.randint(1, 9)}\n# {len(parents)} parents\n"}

    problem = replace(circle_packing(), vary=vary)
    made = proposed(problem, [problem.seed] * 3, 1)
    assert made.files[MAIN].endswith("# 3 parents\n")


def test_crossover_takes_from_the_partner() -> None:
    """A number that only the partner has turns up in some children."""
    ours = "def f(x):\n    y = x * 1.5\n    return y + 2\n"
    theirs = "def f(x):\n    y = x / 777.25\n    return y - 3\n"
    made = [Mutate().child([{MAIN: ours}, {MAIN: theirs}], Random(str(i)))[0][MAIN] for i in range(120)]
    assert any("777.25" in text for text in made)


def test_children_vary() -> None:
    seed = circle_packing().seed
    made = {Mutate().child([seed], Random(str(i)))[0][MAIN] for i in range(100)}
    assert len(made) > 90
    assert len({ast.dump(ast.parse(text)) for text in made}) > 80


def test_a_change_that_does_not_parse_is_drawn_again() -> None:
    """Some changes of this program leave a comprehension without its brackets."""
    line = ["def points(n):\n    right, up = 1 / n, 1 / n\n    return [[right * i % 1, up * i % 1] for i in range(n)]\n"]
    mutate = Mutate(more=0.8)
    for step in range(200):
        rng = Random(step)
        parents = [{MAIN: rng.choice(line[-30:])}, {MAIN: rng.choice(line[-30:])}]
        line.append(mutate.child(parents, rng)[0][MAIN])
        compile(line[-1], MAIN, "exec")
