"""docs/performance.md: a section for each measure, each replaced by the run that measured it last."""

import re
import time
from collections.abc import Sequence

from bench.finding import Finding
from tests.prove.report import commit, machine
from tests.system.daemon import ROOT

PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

What syncd costs, as ratios: each pair was measured one right after the other in one run on one machine, and each line is the median of its
rounds with their spread. `make bench` measures all of it in ten to fifteen minutes, with what it installs for comparison, and writes this
page; the command below a title measures what stands there. Absolute figures are those of the machine, and drift; ratios hold.

The load is wrk's, over loopback, with 2,000 notifications of 1 to 4 KB of 500 groups, posted in turn and each time with another count.
*Accepted* means answered 200, which is after login, full check and a commit that is on the disk. *A server that does nothing* is a Starlette
route that reads the body and answers, with the same event loop and parser, and no log.
"""
_COLUMNS = "| What | Ratio | Spread | Beside | Goal | Seen |\n| --- | --- | --- | --- | --- | --- |"


def write(title: str, command: str, findings: Sequence[Finding | str], seconds: float) -> None:
    """Put a section in its place; the others stay."""
    known = PAGE.read_text() if PAGE.exists() else HEAD
    parts = re.split(r"^(?=## )", known, flags=re.MULTILINE)
    sections = {part.split("\n", 1)[0]: part.rstrip("\n") for part in parts[1:]}
    stamp = f"`{command}` · {time.strftime('%Y-%m-%d')} · {seconds:.0f} s · {commit()} · {machine()}"
    rows = [_row(found) for found in findings]
    sections[f"## {title}"] = f"## {title}\n\n{stamp}\n\n{_COLUMNS}\n" + "\n".join(rows)
    PAGE.write_text(f"{HEAD}\n" + "\n\n".join(sections.values()) + "\n")


def _row(found: Finding | str) -> str:
    if isinstance(found, str):
        return f"| {found} | | | | | |"
    goal = found.goal if found.met else f"**{found.goal}: missed**"
    return f"| {found.what} | {found.ratio:.2f} × | {found.spread} | {found.against} | {goal} | {found.seen} |"
