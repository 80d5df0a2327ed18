"""The bar of a command that takes long. A module of its own: other commands need not load it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def bar(*, lasting: bool = False) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar on stderr, and yield the function that takes the step, how much of it is done, and how much there is. The bar is for terminals
    only and goes with the end of the work, unless it is `lasting`."""
    err = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=not lasting, disable=not (lasting or err.is_terminal)) as progress:
        task = progress.add_task("starting", total=None)

        def show(step: str, done: int, total: int | None) -> None:
            progress.update(task, description=step, completed=done, total=total)

        yield show
