"""What each proof found, kept as it comes, and the page made of it: docs/proof.md."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from syncd.store.sqlite.driver import sqlite3

ROOT = Path(__file__).parents[2]

_INTRODUCTION = """\
`make prove` ran what is below and wrote this page. Every proof runs real daemons, as processes, against trackers that speak HTTP; what
came out is counted in the tracker and in the sender's own ledger of what was answered 200, never in syncd's store. Beside a proof
stands, where there is one, its *negative control*: the same faults, met by something that has not what is proved here. It has to
fail, or the faults are none.
"""


class Row(NamedTuple):
    """One line of a proof. `control` is what the same did to what is not ours; a row that is not `ok` fails the proof."""

    done: str
    many: str
    came: str
    control: str = ""
    ok: bool = True


@dataclass(kw_only=True)
class Finding:
    """All that is known of one proof. `error` says why it ended early, or is empty."""

    name: str
    title: str
    command: str
    date: str
    seconds: float
    machine: str
    commit: str
    rows: list[Row] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error and bool(self.rows) and all(row.ok for row in self.rows)


def save(folder: Path, finding: Finding) -> None:
    """Keep it below `folder`; a proof that runs beside it may do the same."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = asdict(finding) | {"rows": [row._asdict() for row in finding.rows]}
    _replace(folder / f"{finding.name}.json", json.dumps(kept, indent=1))


def saved(folder: Path, names: Iterable[str]) -> list[Finding]:
    """What is kept of these proofs, in their order."""
    paths = [folder / f"{name}.json" for name in names]
    return [_read(json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]


def _read(kept: dict[str, Any]) -> Finding:
    return Finding(**kept | {"rows": [Row(**row) for row in kept["rows"]]})


def write(page: Path, findings: list[Finding], missing: list[str]) -> None:
    """The page. `missing` names the proofs that have not been run."""
    _replace(page, "\n".join([*_head(findings, missing), *(line for one in findings for line in _section(one))]))


def _head(findings: list[Finding], missing: list[str]) -> list[str]:
    failed = [one.title for one in findings if not one.ok]
    held = f"{len(findings) - len(failed)} of {len(findings)} proofs held"
    result = f"**FAILED**: {'; '.join(failed)}; {held}" if failed else held
    if missing:
        result += f"; not run: {', '.join(missing)}"
    facts = {
        "Result": result,
        "Date": _each(one.date for one in findings),
        "Machine": _each(one.machine for one in findings),
        "Commit": _each(one.commit for one in findings),
        "Took": f"{spell(sum(one.seconds for one in findings))} of proofs, some of them side by side",
    }
    return ["# Proof", "", _INTRODUCTION, "| | |", "| --- | --- |", *(_line(*fact) for fact in facts.items()), ""]


def _each(values: Iterable[str]) -> str:
    return "; ".join(sorted(set(values)))


def _section(finding: Finding) -> list[str]:
    controlled = any(row.control for row in finding.rows)
    heading = ["What was done", "How many", "What came out", *(["Negative control"] if controlled else [])]
    facts = [f"`{finding.command}`", finding.date, spell(finding.seconds), finding.commit]
    lines = [f"## {finding.title}{'' if finding.ok else ': FAILED'}", "", " · ".join(facts), ""]
    if finding.rows:
        lines += [_line(*heading), _line(*["---"] * len(heading))]
    for row in finding.rows:
        came = row.came if row.ok else f"**FAILED**: {row.came}"
        lines.append(_line(*[row.done[:1].upper() + row.done[1:], row.many, came, row.control][: len(heading)]))
    return [*lines, "", *([f"**FAILED**: {finding.error}", ""] if finding.error else [])]


def _line(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '&#124;').split()) for cell in cells)} |"


def spell(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def machine() -> str:
    """Its shape, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    kernel = platform.release().partition("-")[0]
    system = f"{platform.system()} {kernel} {platform.machine()}"
    return f"{cores} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def commit() -> str:
    """The commit that was proved, and whether the program differed from it."""
    known = _git("rev-parse", "--short=10", "HEAD")
    if not known:
        return "no commit known"
    return f"{known} with changes" if _git("status", "--porcelain", "--", "syncd", "migrations") else known


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _replace(path: Path, text: str) -> None:
    """Whole or not at all: proofs that run side by side all write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    draft.replace(path)
