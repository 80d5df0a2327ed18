"""Many clients of one tracker that file issues at the same time."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from syncd.errors import TrackerError
from syncd.trackers import Draft, Tracker


def own_markers(threads: int, drafts: int) -> list[str]:
    return [f"{number}x{each}".rjust(26, "m") for number in range(threads) for each in range(drafts)]


def pour(trackers: Sequence[Tracker], draft: Draft, drafts: int) -> list[TrackerError]:
    """Each client creates so many issues in a thread of its own. Returns the errors."""
    errors: list[TrackerError] = []

    def create(number: int) -> None:
        for marker in own_markers(len(trackers), drafts)[number * drafts : (number + 1) * drafts]:
            try:
                trackers[number].create(replace(draft, marker=marker))
            except TrackerError as error:
                errors.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(len(trackers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
