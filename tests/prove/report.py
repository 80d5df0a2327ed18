"""Results of proofs, saved row by row, and the page docs/proof.md."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from syncd.store.sqlite.file import sqlite3

ROOT = Path(__file__).parents[2]

_INTRODUCTION = """\
`make prove` runs these proofs and writes this page. The simulation ([states](states.md)), the mutants, the order of releases and the table of refusals run inside one process; every other
proof runs real daemons as processes against trackers that speak HTTP. These proofs count results in the tracker and in the sender's ledger of 200 responses, never in the store of syncd. Some proofs have a *negative
control*: a program without the proved property under the same faults. The control must fail; otherwise the faults prove nothing.
"""

_FAILED = ": FAILED"  # behind the title of a section
_MACHINE = re.compile(r"^\| Machine \| (.+) \|$", re.MULTILINE)


class Row(NamedTuple):
    """One row of a proof. `control` is the result of the negative control. A row that is not `ok` fails the proof."""

    action: str
    scale: str
    result: str
    control: str = ""
    ok: bool = True


@dataclass(kw_only=True)
class Finding:
    """The result of one proof. `error` says why it ended early, or is empty."""

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
    """Save the result below `folder`. Proofs that run in parallel can do this too."""
    folder.mkdir(parents=True, exist_ok=True)
    content = asdict(finding) | {"rows": [row._asdict() for row in finding.rows]}
    _replace(folder / f"{finding.name}.json", json.dumps(content, indent=1))


def saved(folder: Path, names: Iterable[str]) -> list[Finding]:
    """The saved results of these proofs, in their order."""
    paths = [folder / f"{name}.json" for name in names]
    return [_read(json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]


def _read(content: dict[str, Any]) -> Finding:
    return Finding(**content | {"rows": [Row(**row) for row in content["rows"]]})


def write(page: Path, findings: list[Finding], titles: list[str]) -> None:
    """Write the page: of each of the proofs with these titles its finding, else the section that the page has of an earlier run."""
    sections = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
    machines = {finding.machine for finding in findings} | set(
        _MACHINE.findall(page.read_text() if page.exists() else "")
    )
    sections |= {finding.title: _section(finding) for finding in findings}
    present = [title for title in titles if title in sections]
    failed = [title for title in present if sections[title].partition("\n")[0].endswith(_FAILED)]
    passed = f"{len(present) - len(failed)} of {len(present)} proofs passed"
    result = f"**FAILED**: {'; '.join(failed)}; {passed}" if failed else passed
    if missing := [title for title in titles if title not in sections]:
        result += f"; not run: {', '.join(missing)}"
    head = ["# Proof", "", _INTRODUCTION, "| | |", "| --- | --- |"]
    head += [_line("Result", result), _line("Machine", _each(machines)), ""]
    _replace(page, "\n".join([*head, *(sections[title] for title in present)]))


def _sections(page: str) -> dict[str, str]:
    """The sections of a page by the titles of their proofs."""
    texts = page.split("\n## ")[1:]
    return {text.partition("\n")[0].removesuffix(_FAILED): f"## {text}".rstrip() + "\n" for text in texts}


def _each(values: Iterable[str]) -> str:
    return "; ".join(sorted(set(values)))


def _section(finding: Finding) -> str:
    controlled = any(row.control for row in finding.rows)
    heading = ["Fault", "Size", "Result", *(["Negative control"] if controlled else [])]
    facts = [f"`{finding.command}`", finding.date, spell(finding.seconds), finding.commit]
    lines = [f"## {finding.title}{'' if finding.ok else _FAILED}", "", " · ".join(facts), ""]
    if finding.rows:
        lines += [_line(*heading), _line(*["---"] * len(heading))]
    for row in finding.rows:
        result = row.result if row.ok else f"**FAILED**: {row.result}"
        lines.append(_line(*[row.action[:1].upper() + row.action[1:], row.scale, result, row.control][: len(heading)]))
    return "\n".join([*lines, "", *([f"**FAILED**: {finding.error}", ""] if finding.error else [])])


def _line(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '&#124;').split()) for cell in cells)} |"


def spell(seconds: float) -> str:
    """A duration as text, in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def machine() -> str:
    """Cores, memory, system and versions; not the host name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    kernel = platform.release().partition("-")[0]
    system = f"{platform.system()} {kernel} {platform.machine()}"
    return f"{cores} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def commit() -> str:
    """The commit of the run, with a note if syncd or migrations have uncommitted changes."""
    revision = _git("rev-parse", "--short=10", "HEAD")
    if not revision:
        return "unknown commit"
    return f"{revision} with changes" if _git("status", "--porcelain", "--", "syncd", "migrations") else revision


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _replace(path: Path, text: str) -> None:
    """Replace the file atomically, because parallel proofs all write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    draft.replace(path)
