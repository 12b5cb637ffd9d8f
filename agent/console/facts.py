"""What there is to say of an entry, as one object and as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.console.text import block, line, number, plain
from archive.store import Archive
from archive.types import Entry, Run
from evaluators.types import Evaluation


def named(run: Run) -> str:
    """The problem with its parameters: `circle_packing n=26`."""
    words = (f"{key}={value}" for key, value in sorted(run.reference.parameters.items()))
    return " ".join([run.reference.name, *words])


def of_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """What became of a program."""
    return {
        "outcome": evaluation.outcome,
        "value": evaluation.value,
        "measures": dict(evaluation.measures),
        "feedback": evaluation.feedback,
        "sandbox": evaluation.sandbox,
        "isolation": evaluation.isolation,
        "image": evaluation.image,
        "wall_seconds": evaluation.usage.wall_seconds,
        "cpu_seconds": evaluation.usage.cpu_seconds,
        "peak_mb": evaluation.usage.peak_mb,
        "digest": evaluation.digest,
    }


def of_entry(archive: Archive, entry: Entry) -> dict[str, Any]:
    """An entry, as `best --json` and `show --json` print it (the files apart)."""
    run, checked = archive.run, archive.verified(entry.step)
    return {
        "problem": run.reference.name,
        "parameters": dict(run.reference.parameters),
        "sense": run.sense,
        "step": entry.step,
        **of_evaluation(entry.evaluation),
        "verified": checked is not None and checked.value is not None,
        "verified_value": checked.value if checked else None,
        "quarantined": checked.reason if checked else "",
        "author": entry.candidate.author,
        "parents": list(entry.candidate.parents),
        "note": entry.candidate.note,
        "records": [dict(record) for record in run.records],
    }


def lines(facts: Mapping[str, Any]) -> list[str]:
    """The facts of an entry for people."""
    words = " ".join(f"{key}={value}" for key, value in sorted(facts["parameters"].items()))
    told = [
        block("problem", f"{facts['problem']} {words}"),
        f"step      {facts['step']}, by {line(facts['author'])}" + _from(facts["parents"]),
        f"outcome   {facts['outcome']}",
        f"value     {number(facts['value'], exact=True)} ({facts['sense']})",
        *_against(facts),
        *(block("measure", f"{name} = {number(value)}") for name, value in facts["measures"].items()),
        block("verified", _verified(facts)),
        f"sandbox   {facts['sandbox']} ({facts['isolation']})",
        f"took      {facts['wall_seconds']:.3g} s wall, {facts['cpu_seconds']:.3g} s cpu, {facts['peak_mb']:.4g} MiB",
    ]
    if facts["note"]:
        told.append(block("note", facts["note"]))
    if facts["feedback"]:
        told.append(block("feedback", facts["feedback"]))
    return told


def artifact(entry: Entry) -> Any:
    """The verified data as JSON has it, or None where it was not kept."""
    return plain(entry.evaluation.artifact)


def _from(parents: list[int]) -> str:
    return f", from {', '.join(map(str, parents))}" if parents else ""


def _verified(facts: Mapping[str, Any]) -> str:
    if facts["quarantined"]:
        return f"no: quarantined: {facts['quarantined']}"
    return "yes, again in a fresh box" if facts["verified"] else "no: not judged again yet"


def _against(facts: Mapping[str, Any]) -> list[str]:
    """What records there are, as the file has them: it may come from anywhere."""
    told = ((r.get("value"), r.get("who", ""), r.get("source", "")) for r in facts["records"])
    return [block("record", f"{value}  {who}, {source}") for value, who, source in told]
