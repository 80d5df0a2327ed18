"""Mutation tests of the decision modules with cosmic-ray: every small change must break a test."""

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

from syncd.store.sqlite.file import sqlite3
from tests.prove.report import ROOT, Row

LEAST = 95.0  # per cent of the mutants
TIMEOUT_SECONDS = 60.0

# The decision modules and their tests.
MODULES = {
    "releases": ["tests/core/test_releases.py"],
    "plan": ["tests/core/test_decisions.py", "tests/core/test_plan.py"],
    "holds": ["tests/core/test_holds.py", "tests/core/test_decisions.py"],
    "regression": ["tests/core/test_regression.py", "tests/core/test_decisions.py"],
    "doubt": ["tests/core/test_judge.py", "tests/core/test_plan.py", "tests/core/test_decisions.py"],
    "policy": ["tests/core/test_policy.py", "tests/core/test_plan.py"],
    "conditions": ["tests/core/test_policy.py", "tests/core/test_plan.py"],
    "merges": ["tests/core/test_merges.py"],
    "raising": ["tests/core/test_raising.py"],
}

# Excluded: `|`, which occurs mostly in type annotations; arithmetic replaced by bit operations, which breaks everything or nothing; and
# identity replaced by order or order by identity, which are equal for enumeration members and small numbers.
_EXCLUDED = [
    r"core/ReplaceBinaryOperator_BitOr_.*",
    r"core/ReplaceBinaryOperator_\w+_(BitAnd|BitOr|BitXor|LShift|RShift|FloorDiv|Mod|Pow)",
    r"core/ReplaceComparisonOperator_(Is|IsNot)_(?!Is$|IsNot$).*",
    r"core/ReplaceComparisonOperator_(?!Is_|IsNot_)\w+_(Is|IsNot)",
    r"core/RemoveDecorator",
]

# Equivalent mutants, which no test can detect: module, pattern of the line, reason.
_EQUIVALENT = [
    ("", r"^@(dataclass|lru_cache)", "the construction of a value or a cache decides nothing"),
    ("releases", r"_BEFORE, _ITSELF, _AFTER = ", "only their order counts"),
    ("releases", r"_NUMBER, _LETTER, _TEXT = ", "only that they differ and their order count"),
    (
        "releases",
        r"len\(numbers\) == 1|len\(word\) (>|==) 1|<= _VERSION_WORDS",
        "there is at least one, and never all three",
    ),
    ("releases", r"own\[0\] == _TEXT", "no kind of build is larger"),
    ("releases", r"(left\.rank|own|len\(left\.builds\)) > ", "the values are never equal there"),
    (
        "releases",
        r"(last|order) == _(BEFORE|AFTER)|\[0\] == _BEFORE",
        "one of the order's ends, or the only other value",
    ),
    ("releases", r"numbers\[0\]\[0\] <= MAX_MAJOR", "there is one number"),
    ("releases", r"ljust\(6", "more zeros change no order"),
    ("releases", r"core\[-1\]\[0\]", "a number without digits has neither length nor text"),
    ("", r"^def .*\*,", "every call passes the required keyword"),
    ("", r"now: float = 0\.0", "only a rule with a window reads it, and its caller hands it in"),
    ("policy", r"^min_\w+: int = 0", "no number is negative"),
    ("conditions", r'high_sign == "<"', "no other sign of an upper end sorts before it"),
    ("merges", r"^MOST = ", "a limit of the store's query, which decides nothing here"),
    ("merges", r"group\.first_seen or 0\)|closed_at or 0\.0", "a time before all other times"),
    ("merges", r'== "open"', "no other value sorts after it"),
    ("merges", r'== "adopt"', "no other value sorts before it"),
    ("merges", r"default=0\)|own\.get\(row\.release, 0\)", "a part with the release has at least one occurrence of it"),
    ("raising", r"-place for place|present\.casefold\(\), 1\)", "only the order counts"),
    ("releases", r"^(NONE|MAJOR|LINE|NUMBERS) = ", "only that they differ and their order count"),
    ("releases", r'family\[0\] == "version"', "no other kind sorts after it"),
    ("plan", r'facts\.get\("since", 0\)', "the clause that reads it always has it"),
    ("doubt", r"sent_at or 0\.0", "a time before all other times"),
    ("plan", r'"target": group\.follows', "an alias always has a target"),
    ("plan", r"^(MAX|STATUS)_\w+ = ", "a default that a test checks by name"),
    ("plan", r"(wait|due_at): float = 0\.0|generation: int = 0", "a default that every caller overrides"),
    ("plan", r"or 0\.0", "a time before all other times"),
    ("plan", r"^FIRST_MILESTONE", "only powers of ten are compared with it"),
    ("plan", r"context\.wait > 0", "no wait is negative"),
    ("plan", r'== "comment"', "no other value sorts before it"),
    ("plan", r"min\(attempts, 30\)", "the limit is reached long before"),
    ("plan", r'== "new_issue"', "no other value is possible there"),
    ("plan", r"!= regression\.TOTAL", "the empty name sorts before all other names"),
    ("plan", r"\.get\(regression\.TOTAL, 0\)|else 0$", "all numbers below the first milestone are equivalent"),
    ("holds", r"if since <= point\.at <= now", "the numbers of now are compared after those of the moments before"),
    ("holds", r"group\.first_seen or 0\)", "a time before all other times"),
    ("regression", r"== 1 else \"they have", "there is at least one"),
    ("regression", r"!= UNRELEASED", "the empty name sorts before all other names"),
    ("regression", r'unknown_release == "regression"', "no other value sorts after it"),
    ("regression", r"^grown = any", "without a total the result is the same either way"),
    ("regression", r"!= OTHER_RELEASES", "no other release begins with a parenthesis"),
    ("regression", r"or 0(\.0)?\b", "a time before all other times"),
]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test detected. `why` is the reason if no test can detect it, else empty."""

    line: int
    operator: str
    source: str
    why: str


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per module. `size` is the number of mutants per module, 0 for all."""
    require_current_equivalents()
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda name: _module(folder / name, name, seed, size), MODULES)
        for name, (count, survivors) in zip(MODULES, results, strict=True):
            yield _row(name, count, survivors)


def require_current_equivalents() -> None:
    """Raises AssertionError if a pattern of _EQUIVALENT matches no line of its module any more."""
    sources = {name: (ROOT / f"syncd/core/{name}.py").read_text().splitlines() for name in MODULES}
    for module, pattern, _ in _EQUIVALENT:
        lines = [line.strip() for name in MODULES if module in ("", name) for line in sources[name]]
        assert any(re.search(pattern, line) for line in lines), f"{module or 'no module'} has no line {pattern}"


def _row(name: str, count: int, survivors: Sequence[Survivor]) -> Row:
    killed = count - len(survivors)
    unnoticed = [survivor for survivor in survivors if not survivor.why]
    # No test can kill an equivalent mutant.
    judgeable = count - (len(survivors) - len(unnoticed))
    score = 100 * killed / judgeable if judgeable else 0.0
    survived = "; ".join(f"line {survivor.line}, {survivor.operator}: `{survivor.source}`" for survivor in unnoticed)
    reasons = Counter(survivor.why for survivor in survivors if survivor.why)
    same = "; ".join(f"{count}: {why}" for why, count in reasons.most_common())
    return Row(
        action=f"each operator, comparison, constant and condition of syncd/core/{name}.py changed one at a time",
        scale=f"{count} mutants, against {', '.join(MODULES[name])}",
        result=f"{killed} killed; {len(survivors) - len(unnoticed)} equivalent{f' ({same})' if same else ''}; of the rest "
        f"{score:.1f} % killed" + (f"; survivors: {survived}" if survived else ""),
        control="the unchanged module passes the same tests",
        ok=score >= LEAST,
    )


def _module(folder: Path, name: str, seed: int, size: int) -> tuple[int, list[Survivor]]:
    """The number of mutants of a module, and the survivors."""
    _copy(folder)
    (folder / "mutants.toml").write_text(_settings(name, MODULES[name]))
    _call(folder, "init", "mutants.toml", "mutants.sqlite")
    _thin(folder / "mutants.sqlite", seed, size)
    _call(folder, "baseline", "mutants.toml")
    _call(folder, "exec", "mutants.toml", "mutants.sqlite")
    return _results(folder / "mutants.sqlite", name, (folder / f"syncd/core/{name}.py").read_text().splitlines())


def _copy(folder: Path) -> None:
    """Copy sources and tests, because cosmic-ray changes the files."""
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
    """Delete excluded mutants, and all but `size` of the rest."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT job_id, operator_name FROM mutation_specs ORDER BY job_id").fetchall()
    excluded = re.compile("|".join(_EXCLUDED))
    selected = [job for job, operator in rows if not excluded.fullmatch(operator)]
    if size and len(selected) > size:
        selected = random.Random(seed).sample(sorted(selected), size)
    removed = [(job,) for job, _ in rows if job not in set(selected)]
    connection.executemany("DELETE FROM mutation_specs WHERE job_id = ?", removed)
    connection.executemany("DELETE FROM work_items WHERE job_id = ?", removed)
    connection.commit()
    connection.close()


def _results(database: Path, name: str, lines: Sequence[str]) -> tuple[int, list[Survivor]]:
    """The number of mutants, and the survivors."""
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
    equivalents = ((module, pattern, why) for module, pattern, why in _EQUIVALENT if module in ("", name))
    return next((why for _, pattern, why in equivalents if re.search(pattern, source)), "")
