"""Every small change to what decides must break a test: mutants of the modules behind `plan` and `releases`, by cosmic-ray."""

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils.utils import sqlite3

from tests.prove.report import ROOT, Row

LEAST = 95.0  # per cent of the mutants
TIMEOUT_SECONDS = 60.0

# What decides, and the tests that have to notice.
MODULES = {
    "releases": ["tests/test_releases.py"],
    "plan": ["tests/test_decisions.py", "tests/test_plan.py"],
    "regression": ["tests/test_decisions.py"],
    "filing": ["tests/test_decisions.py"],
    "doubt": ["tests/test_judge.py", "tests/test_plan.py", "tests/test_decisions.py"],
    "policy": ["tests/test_policy.py", "tests/test_plan.py"],
}

# `|` stands mostly in types, which nobody runs.
_EXCLUDED = ["core/ReplaceBinaryOperator_BitOr_.*", "core/RemoveDecorator"]

# Mutants that no test can tell from the original, by module, and why.
EQUIVALENT: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed."""

    module: str
    line: int
    operator: str
    source: str


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for each module. `size` is how many mutants of each, 0 for all."""
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: _module(folder / name, name, seed, size), MODULES))
    for name, (killed, survivors) in zip(MODULES, results, strict=True):
        many = killed + len(survivors)
        score = 100 * killed / many if many else 0.0
        lived = "; ".join(f"line {one.line} ({one.operator}): `{one.source}`" for one in survivors)
        yield Row(
            done=f"each operator, comparison, constant and condition of syncd/{name}.py changed, one at a time",
            many=f"{many} mutants, against {', '.join(MODULES[name])}",
            came=f"{score:.1f} % killed" + (f"; survivors: {lived}" if lived else ""),
            control="the unchanged module passes the same tests",
            ok=score >= LEAST,
        )


def _module(folder: Path, name: str, seed: int, size: int) -> tuple[int, list[Survivor]]:
    _copy(folder)
    (folder / "mutants.toml").write_text(_settings(name, MODULES[name]))
    _call(folder, "init", "mutants.toml", "mutants.sqlite")
    _thin(folder / "mutants.sqlite", seed, size)
    _call(folder, "baseline", "mutants.toml")
    _call(folder, "exec", "mutants.toml", "mutants.sqlite")
    return _results(folder / "mutants.sqlite", name, (folder / f"syncd/{name}.py").read_text().splitlines())


def _copy(folder: Path) -> None:
    """The sources and the tests: a mutant is a changed file."""
    for part in ("syncd", "tests", "migrations"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def _settings(name: str, tests: Sequence[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return f"""
[cosmic-ray]
module-path = "syncd/{name}.py"
timeout = {TIMEOUT_SECONDS}
excluded-modules = []
test-command = {json.dumps(" ".join(command))}

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = {json.dumps(_EXCLUDED)}
"""


def _call(folder: Path, *arguments: str) -> None:
    program = Path(sys.executable).with_name("cosmic-ray")
    subprocess.run(
        [str(program), *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)},
    )


def _thin(database: Path, seed: int, size: int) -> None:
    """Leave out the mutants that mean nothing, and all but `size` of the others."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT job_id, operator_name FROM mutation_specs ORDER BY job_id").fetchall()
    excluded = re.compile("|".join(_EXCLUDED))
    kept = [job for job, operator in rows if not excluded.fullmatch(operator)]
    if size and len(kept) > size:
        kept = random.Random(seed).sample(sorted(kept), size)
    gone = [(job,) for job, _ in rows if job not in set(kept)]
    connection.executemany("DELETE FROM mutation_specs WHERE job_id = ?", gone)
    connection.executemany("DELETE FROM work_items WHERE job_id = ?", gone)
    connection.commit()
    connection.close()


def _results(database: Path, name: str, lines: Sequence[str]) -> tuple[int, list[Survivor]]:
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT operator_name, start_pos_row, test_outcome FROM mutation_specs JOIN work_results USING (job_id)"
    ).fetchall()
    connection.close()
    lived = [
        Survivor(name, row, operator.removeprefix("core/"), lines[row - 1].strip())
        for operator, row, outcome in rows
        if str(outcome).lower().endswith("survived")
    ]
    return len(rows) - len(lived), [one for one in lived if one.source not in EQUIVALENT.get(name, {})]
