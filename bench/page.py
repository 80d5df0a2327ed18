"""docs/performance.md: one section per measurement, replaced by its latest run."""

import re
import time
from collections.abc import Sequence

from bench.finding import Finding
from tests.prove.report import commit, machine
from tests.system.daemon import ROOT

PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

This page states the costs of syncd as ratios. Both values of a ratio are measured one right after the other on one machine. Each line
shows the median of its rounds and their spread. `make bench` takes ten to fifteen minutes and writes this page; the command below a title
repeats that section. Absolute figures depend on the machine and drift; ratios are stable.

wrk generates the load over loopback: 2,000 notifications of 1 to 4 KB in 500 groups, posted in turn, each time with a new count.
*Accepted* means answered 200 after login, full check and a commit on disk. The *no-op server* is a Starlette route that reads the body and
responds, with the same event loop and parser and without a log.
"""
_COLUMNS = "| Measure | Ratio | Spread | Compared with | Goal | Figures |\n| --- | --- | --- | --- | --- | --- |"


def write(title: str, command: str, findings: Sequence[Finding | str], seconds: float) -> None:
    """Replace one section; the other sections stay."""
    text = PAGE.read_text() if PAGE.exists() else HEAD
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    sections = {part.split("\n", 1)[0]: part.rstrip("\n") for part in parts[1:]}
    stamp = f"`{command}` · {time.strftime('%Y-%m-%d')} · {seconds:.0f} s · {commit()} · {machine()}"
    rows = [_row(finding) for finding in findings]
    sections[f"## {title}"] = f"## {title}\n\n{stamp}\n\n{_COLUMNS}\n" + "\n".join(rows)
    PAGE.write_text(f"{HEAD}\n" + "\n\n".join(sections.values()) + "\n")


def _row(finding: Finding | str) -> str:
    if isinstance(finding, str):
        return f"| {finding} | | | | | |"
    goal = finding.goal if finding.met else f"**{finding.goal}: missed**"
    return f"| {finding.subject} | {finding.ratio:.2f} × | {finding.spread} | {finding.baseline} | {goal} | {finding.figures} |"
