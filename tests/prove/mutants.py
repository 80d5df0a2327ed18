"""Every small change to what decides must break a test: mutants of the modules behind `plan` and `releases`, by cosmic-ray."""

import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from syncd.store.sqlite.driver import sqlite3
from tests.prove.report import ROOT, Row

LEAST = 95.0  # per cent of the mutants
TIMEOUT_SECONDS = 60.0

# What decides, and the tests that have to notice.
MODULES = {
    "releases": ["tests/core/test_releases.py"],
    "plan": ["tests/core/test_decisions.py", "tests/core/test_plan.py"],
    "regression": ["tests/core/test_regression.py", "tests/core/test_decisions.py"],
    "filing": ["tests/core/test_decisions.py"],
    "doubt": ["tests/core/test_judge.py", "tests/core/test_plan.py", "tests/core/test_decisions.py"],
    "policy": ["tests/core/test_policy.py", "tests/core/test_plan.py"],
}

# Left out: `|`, which stands mostly in types that nobody runs; arithmetic that turns into shifts and bits, which breaks everything or nothing;
# and identity turned into order, or order into identity: for members of an enumeration, and small numbers, they are the same.
_EXCLUDED = [
    r"core/ReplaceBinaryOperator_BitOr_.*",
    r"core/ReplaceBinaryOperator_\w+_(BitAnd|BitOr|BitXor|LShift|RShift|FloorDiv|Mod|Pow)",
    r"core/ReplaceComparisonOperator_(Is|IsNot)_(?!Is$|IsNot$).*",
    r"core/ReplaceComparisonOperator_(?!Is_|IsNot_)\w+_(Is|IsNot)",
    r"core/RemoveDecorator",
]

# Mutants that no test can tell from the original: the module, what stands on the line, and why.
_EQUIVALENT = [
    ("", r"^@(dataclass|lru_cache)", "how a value or a cache is made decides nothing"),
    ("releases", r"_BEFORE, _ITSELF, _AFTER = ", "only their order counts"),
    ("releases", r"before > after", "they are not the same there"),
    ("releases", r"len\(parts\) > 1", "there is always one"),
    ("releases", r"== best\[", "none is larger than the largest"),
    ("releases", r"\.sub\(.*, 1\)", "it can match only once, at the beginning"),
    ("releases", r"core\[-1\]\[0\]", "a number without digits has neither length nor text"),
    ("releases", r"(last|after) = |return \(_BEFORE, \(\(-1|return [01], ", "only their order counts"),
    ("", r"^def .*\*,", "a name that must be given is given everywhere"),
    ("", r"strict=True", "both have the same length"),
    ("doubt", r"sent_at or 0\.0", "a time before all others"),
    ("filing", r"^recent = ", "without a window nobody looks at it"),
    ("filing", r'"target": group\.follows', "an alias always follows something"),
    ("plan", r"^(MAX|STATUS)_\w+ = ", "a default of its own, tested by name"),
    ("plan", r"(wait|due_at): float = 0\.0|generation: int = 0", "a default that everybody overrides"),
    ("plan", r"or 0\.0", "a time before all others"),
    ("plan", r"^FIRST_MILESTONE", "only powers of ten are held against it"),
    ("plan", r"around\.wait > 0", "no wait is negative"),
    ("plan", r'== "comment"', "no other word comes before it"),
    ("plan", r"min\(attempts, 30\)", "the limit is reached long before"),
    ("plan", r'== "new_issue"', "there is no other word left"),
    ("plan", r"!= regression\.TOTAL", "the empty name comes before all others"),
    ("plan", r"\.get\(regression\.TOTAL, 0\)|else 0$", "below the first milestone every number is alike"),
    ("regression", r"^grown = any", "without a total the result is the same either way"),
    ("regression", r"!= OTHERS", "no other release begins with a parenthesis"),
    ("regression", r"or 0(\.0)?\)", "a time before all others"),
    ("regression", r'== "note"|== \{Order', "there is no other word left"),
]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed. `why` no test can, or empty."""

    line: int
    operator: str
    source: str
    why: str


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for each module. `size` is how many mutants of each, 0 for all."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda name: _module(folder / name, name, seed, size), MODULES)
        for name, (many, survivors) in zip(MODULES, results, strict=True):
            yield _row(name, many, survivors)


def _row(name: str, many: int, survivors: Sequence[Survivor]) -> Row:
    killed = many - len(survivors)
    unnoticed = [one for one in survivors if not one.why]
    # Those that mean the same can be killed by nobody.
    judged = many - (len(survivors) - len(unnoticed))
    score = 100 * killed / judged if judged else 0.0
    lived = "; ".join(f"line {one.line}, {one.operator}: `{one.source}`" for one in unnoticed)
    reasons = Counter(one.why for one in survivors if one.why)
    same = "; ".join(f"{count} of them since {why}" for why, count in reasons.most_common())
    return Row(
        done=f"each operator, comparison, constant and condition of syncd/core/{name}.py changed, one at a time",
        many=f"{many} mutants, against {', '.join(MODULES[name])}",
        came=f"{killed} killed; {len(survivors) - len(unnoticed)} mean the same{f' ({same})' if same else ''}; of the others "
        f"{score:.1f} % killed" + (f", and these lived: {lived}" if lived else ""),
        control="the unchanged module passes the same tests",
        ok=score >= LEAST,
    )


def _module(folder: Path, name: str, seed: int, size: int) -> tuple[int, list[Survivor]]:
    """How many mutants of a module there were, and those that lived."""
    _copy(folder)
    (folder / "mutants.toml").write_text(_settings(name, MODULES[name]))
    _call(folder, "init", "mutants.toml", "mutants.sqlite")
    _thin(folder / "mutants.sqlite", seed, size)
    _call(folder, "baseline", "mutants.toml")
    _call(folder, "exec", "mutants.toml", "mutants.sqlite")
    return _results(folder / "mutants.sqlite", name, (folder / f"syncd/core/{name}.py").read_text().splitlines())


def _copy(folder: Path) -> None:
    """The sources and the tests: a mutant is a changed file."""
    for part in ("syncd", "tests", "migrations"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def _settings(name: str, tests: Sequence[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return f"""
[cosmic-ray]
module-path = "syncd/core/{name}.py"
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
    """How many mutants there were, and those that lived."""
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT operator_name, start_pos_row, test_outcome FROM mutation_specs JOIN work_results USING (job_id) "
        "ORDER BY start_pos_row, operator_name"
    ).fetchall()
    connection.close()
    lived = [
        (row, operator.removeprefix("core/"), lines[row - 1].strip())
        for operator, row, outcome in rows
        if _survived(outcome)
    ]
    return len(rows), [Survivor(row, operator, source, _why(name, source)) for row, operator, source in lived]


def _survived(outcome: object) -> bool:
    return str(outcome).lower().endswith("survived")


def _why(name: str, source: str) -> str:
    known = ((module, pattern, why) for module, pattern, why in _EQUIVALENT if module in ("", name))
    return next((why for _, pattern, why in known if re.search(pattern, source)), "")
