"""docs/performance.md: one section per measurement, replaced by its latest run."""

import re
import time
from collections.abc import Sequence

from bench.finding import Finding
from tests.prove.report import commit, machine
from tests.system.daemon import ROOT

PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

## What it means for you

- **Size.** The smallest virtual machine carries a daemon: it takes the memory of its libraries and little more, also after a million
  notifications ([memory](#memory)). A million groups cost about as much a notification as ten thousand do
  ([folding](#folding-into-a-million-groups), [claiming](#claiming-among-a-million-groups), [lists](#the-consoles-lists-of-a-million-groups)).
- **A storm.** One daemon accepts thousands of notifications a second, each on disk before its answer
  ([accepting](#accepting)). A bad build at a million players is a queue of minutes, and nothing of it is lost.
- **Waiting for an issue.** A new group has its issue after the tracker's own latency and little more, also while other groups
  storm ([filing](#from-a-notification-to-its-issue)). syncd is not what you wait for: a tracker answers in tenths of a second and allows some
  hundred creates an hour.
- **Load on the tracker.** One create for a group, and one edit for a group in each `status_interval` in which something changed
  ([tracker calls](#tracker-calls)).
- **Disk.** A notification takes less than half of its size until it is purged, a group a few kilobytes for ever ([storage](#storage)).

## How it is measured

The rest of this page states costs as ratios. Both values of a ratio are measured one right after the other on one machine. Each line
shows the median of its rounds and their spread. `make bench` takes ten to fifteen minutes and writes these sections; the command below a title
repeats that section. Absolute figures depend on the machine and drift; ratios are stable.

wrk generates the load over loopback: 2,000 notifications of 1 to 4 KB in 500 groups, posted in turn, each time with a new count.
*Accepted* means answered 200 after login, full check and a commit on disk. The *no-op server* is a Starlette route that reads the body and
responds, with the same event loop and parser and without a log.
"""
_COLUMNS = "| Measure | Ratio | Spread | Compared with | Goal | Figures |\n| --- | --- | --- | --- | --- | --- |"


def write(title: str, command: str, findings: Sequence[Finding | str], seconds: float) -> None:
    """Replace one section; the other sections stay."""
    text = PAGE.read_text().removeprefix(HEAD) if PAGE.exists() else ""
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
