"""`check --sample`: what a body of a source maps to."""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from syncd.cli import FAILED, USAGE, stop
from syncd.cli.tables import plain
from syncd.config import Config, did_you_mean
from syncd.core.quantities import counted
from syncd.errors import RejectedDelivery
from syncd.operate import samples
from syncd.platform import access
from syncd.platform.clock import Clock


def show_sample(config: Config, path: Path | None, name: str | None, out: Console) -> None:
    """Show what a body maps to. Exits with 1 if it would be refused."""
    if path is None or name is None:
        stop(USAGE, "--sample FILE and --source NAME belong together")
    if name not in config.sources:
        stop(USAGE, f"there is no source {name}{did_you_mean(name, list(config.sources))}")
    try:
        body = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        stop(USAGE, f"{path}: cannot be read: {access.explain(error, named=True)}")
    try:
        prepared, notifications = samples.read(config, name, body, Clock().wall())
    except RejectedDelivery as error:
        stop(FAILED, f"answered {error.status} {error.code}: {error.message}")
    if prepared.ignored:
        out.print(Text("- ", style="dim").append(f"answered 200 and ignored: {prepared.ignored}"), soft_wrap=True)
        return
    for number, fields in enumerate(notifications, start=1):
        out.print(Text(f"Notification {number} of {len(notifications)}", style="bold"))
        for entry in fields:
            fine = Text("✓ ", style="green") if entry.value != samples.MISSING else Text("- ", style="dim")
            mark = Text("! ", style="yellow") if entry.remedy else fine
            where = f"  ({entry.place})" if entry.place else ""
            out.print(
                mark.append(f"{entry.name}: {plain(entry.value)}", style="default").append(where, style="dim"),
                soft_wrap=True,
            )
            if entry.remedy:
                out.print(Text(f"  → {entry.remedy}"), soft_wrap=True)
    for _, problem in prepared.rejected:
        out.print(Text("✗ ", style="red").append(f"{problem.code}: {problem.message}"), soft_wrap=True)
    if prepared.rejected:
        stop(FAILED, f"{counted(len(prepared.rejected), 'notification')} cannot be read")
