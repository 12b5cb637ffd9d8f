"""Problems by name, path or folder, with parameters; what goes wrong is said in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.digest import scoring_digest
from evaluators.types import Reference
from problems.loading import LARGEST_FOLDER, ProblemError, bundled, folder_files, load, reference

SOURCE = '''"""Return a number."""
from evaluators.types import Score
from problems.types import Axis, Problem, beside
from .judge import judged

def problem(size: int, scale: float = 1.5, kind: str = "plain", odd: bool = False) -> Problem:
    if size < 1:
        raise ValueError("size must be at least 1")
    return Problem("mine", __doc__, beside(__file__, "seed.py"), judged(size, scale), axes=(Axis("a", 0, 1, size),))
'''
JUDGE = '''"""The judge."""
from evaluators.types import Score

def judged(size, scale):
    """A closure."""
    def score(program, rng):
        # a comment
        return Score(scale * program.call("f"), {"a": 0.0})
    return score
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "mine"
    home.mkdir()
    (home / "problem.py").write_text(SOURCE)
    (home / "judge.py").write_text(JUDGE)
    (home / "seed.py").write_text("def f():\n    return 1\n")
    return home


def test_bundled_problems_load_with_their_defaults() -> None:
    assert {"bin_packing", "circle_packing"} <= set(bundled())
    for name in bundled():
        where = reference(name)
        assert load(where).parameters == where.parameters
    assert load(reference("circle_packing", ["n=7"])).parameters == {"n": 7}


def test_a_folder_travels_by_its_files(folder: Path) -> None:
    where = reference(str(folder), ["size=3", "odd=true"])
    assert where.parameters == {"size": 3, "scale": 1.5, "kind": "plain", "odd": True}
    sent = Reference(
        **json.loads(
            json.dumps({"name": where.name, "parameters": dict(where.parameters), "files": dict(where.files or {})})
        )
    )
    for path in folder.iterdir():
        path.unlink()
    problem = load(sent)
    assert problem.seed == {"program.py": "def f():\n    return 1\n"}
    assert problem.axes[0].bins == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "needs its parameter 'size'"),
        (["size=three"], "size must be a whole number; 'three' came"),
        (["size=3.5"], "size must be a whole number"),
        (["size=2", "odd=maybe"], "odd must be true or false"),
        (["size=2", "scale=wide"], "scale must be a number"),
        (["sise=2"], "Did you mean 'size'"),
        (["size"], "written name=value"),
        (["size=0"], "size must be at least 1"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(folder: Path, words: list[str], says: str) -> None:
    with pytest.raises(ProblemError, match=says):
        load(reference(str(folder), words))


def test_what_is_no_problem_says_so(tmp_path: Path) -> None:
    for spec, says in {
        "circle_paking": "Did you mean 'circle_packing'",
        str(tmp_path): "has no problem.py",
        "no.such.thing": "no bundled one, no folder and no module that can be imported has this name. Bundled are bin_packing",
        "json.tool:PROBLEM": "must define PROBLEM",
        "json.nothing": "no module that can be imported",
        "circle_packing.problem": "Did you mean 'circle_packing'",
        __file__: "is a file, and a problem is a folder or a module",
    }.items():
        with pytest.raises(ProblemError, match=says):
            reference(spec)
    with pytest.raises(ProblemError, match="has no parameter 'm'"):
        reference("circle_packing", ["m=3"])
    (tmp_path / "problem.py").write_text("x = 1\n")
    with pytest.raises(ProblemError, match=f"is a file: name its folder, {tmp_path}"):
        reference(str(tmp_path / "problem.py"))
    with pytest.raises(ProblemError, match="must define PROBLEM"):
        reference(str(tmp_path))
    (tmp_path / "problem.py").write_text("import nothing_like_it\n")
    with pytest.raises(ProblemError, match="does not load: there is no module 'nothing_like_it', which it imports"):
        reference(str(tmp_path))
    (tmp_path / "problem.py").write_text("def problem(:\n")
    with pytest.raises(ProblemError, match="does not load: SyntaxError"):
        reference(str(tmp_path))


def test_a_folder_that_is_too_large_to_travel_is_refused(folder: Path) -> None:
    (folder / "data.txt").write_text("x" * LARGEST_FOLDER)
    with pytest.raises(ProblemError, match="keep run files and data elsewhere"):
        reference(str(folder), ["size=1"])


def digest(folder: Path, *words: str) -> str:
    return scoring_digest(load(reference(str(folder), ["size=3", *words])))


def test_the_digest_covers_the_scorer_and_not_what_is_said_about_it(folder: Path) -> None:
    first = digest(folder)
    (folder / "judge.py").write_text(
        JUDGE.replace("# a comment", "# another").replace('"""The judge."""', '"""A judge."""')
    )
    (folder / "seed.py").write_text("def f():\n    return 2\n")
    assert digest(folder) == first
    assert digest(folder, "scale=2") != first
    (folder / "judge.py").write_text(JUDGE.replace("scale *", "2 * scale *"))
    assert digest(folder) != first


def test_the_digest_covers_imported_modules_axes_and_needs(folder: Path) -> None:
    first = digest(folder)
    (folder / "problem.py").write_text(SOURCE.replace('Axis("a", 0, 1, size)', 'Axis("a", 0, 2, size)'))
    second = digest(folder)
    (folder / "judge.py").write_text(JUDGE.replace("from evaluators", "from . import helper\nfrom evaluators"))
    (folder / "helper.py").write_text("K = 1\n")
    third = digest(folder)
    (folder / "helper.py").write_text("K = 2\n")
    assert len({first, second, third, digest(folder)}) == 4


def test_the_digest_does_not_depend_on_where_the_folder_is(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "mine"
    other.parent.mkdir()
    first = digest(folder)
    folder.rename(other)
    assert digest(other) == first


def test_large_files_of_a_problem_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text("")
    with (tmp_path / "run.db").open("wb") as file:
        file.truncate(1 << 40)
    assert set(folder_files(tmp_path)) == {"problem.py"}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("seed.py", "../private.py"),
        ("notes/todo.txt", "{home}/private.py"),
        ("data", ".."),
        ("later.txt", "../nothing/yet"),
        ("chain.py", "link.py"),
    ],
)
def test_links_that_lead_out_of_a_problem_folder_are_refused(folder: Path, name: str, target: str) -> None:
    """A stranger's folder could otherwise have files of the user's sent to workers and shown to models."""
    (folder.parent / "private.py").write_text("KEY = 'private'\n")
    (folder / "seed.py").rename(folder / "begin.py")
    (folder / "notes").mkdir()
    link = folder / name
    link.symlink_to(target.format(home=folder.parent))
    if name == "chain.py":
        (folder / "link.py").symlink_to("../private.py")
    with pytest.raises(ProblemError, match=r"leads out of the problem folder, to .*: put the file itself there"):
        reference(str(folder), ["size=3"])
    link.unlink()
    (folder / "link.py").unlink(missing_ok=True)
    assert "problem.py" in folder_files(folder)


def test_links_within_a_problem_folder_are_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "seed.py").rename(folder / "first.py")
    (folder / "seed.py").symlink_to("first.py")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "python").symlink_to("/usr/bin/python3")
    named = tmp_path / "named"
    named.symlink_to(folder)
    assert folder_files(named)["seed.py"] == "def f():\n    return 1\n"
    assert ".venv/python" not in folder_files(named)
    (folder / "round").symlink_to("round")
    assert "round" not in folder_files(folder)
