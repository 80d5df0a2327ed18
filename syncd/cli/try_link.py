"""`check --try-link`: one link, written into Backtrace and read back."""

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from syncd.backtrace.client import targets
from syncd.backtrace.links import Linker, Result, linkable
from syncd.cli import FAILED, LATER, NOT_FOUND, stop
from syncd.cli.arguments import find_group, open_store
from syncd.errors import Misconfigured, TrackerError
from syncd.platform.clock import Clock
from syncd.store import audit, polls
from syncd.store.audit import Kind, Subject
from syncd.store.connection import Transaction

TryLinkOption = Annotated[
    str | None,
    typer.Option(
        "--try-link",
        metavar="GROUP",
        help="Instead: write the issue of this one group into its tickets in Backtrace, and read them back.",
        show_default=False,
    ),
]


def try_one(config: Path | None, name: str) -> None:
    """Write one link, and end a stop of all links if that succeeds. Exits with NOT_FOUND, FAILED or LATER."""
    with open_store(config) as (loaded, store):
        standing = find_group(store, name).standing
        identity, issue = standing.group.identity, standing.issue
        place = identity.universe, identity.project
        target = next((each for each in targets(loaded.backtrace) if each.place == place), None)
        if target is None or target.project.link == "off":
            key = "[[backtrace.NAME.projects]]" if target is None else target.key
            stop(NOT_FOUND, f'{key} has no link = "tickets" for the project {identity.project}')
        if issue is None or not linkable(issue):
            stop(NOT_FOUND, f"the group {identity.fingerprint[:12]} has no issue that could be linked")
        with closing(Linker(target, Clock(), time.sleep)) as linker:
            try:
                link = linker.link(identity.fingerprint, issue)
            except Misconfigured as error:
                stop(FAILED, error.reason)
            except TrackerError as error:
                stop(LATER, error.reason)
        if link.result not in (Result.WRITTEN, Result.PRESENT):
            stop(FAILED, f"{issue.key} is not linked ({link.result}){f': {link.reason}' if link.reason else ''}")
        now = Clock().wall()

        def write(transaction: Transaction) -> None:
            before = polls.standing(transaction, target.title)
            polls.save(transaction, target.title, replace(before, link_fault="", link_reason=""))
            subject = Subject(Kind.GROUP, identity.fingerprint_key)
            audit.record(
                transaction, store.actor, "link", subject, f"{issue.key} is among its tickets in Backtrace", now
            )

        store.write(write, exclusive=False)
        print(f"{issue.key} is among the tickets of {identity.fingerprint[:12]} in Backtrace ({link.result}).")
