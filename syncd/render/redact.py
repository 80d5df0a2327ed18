"""A group as it may be shown to others: without attributes nobody allowed, and with what is private scrubbed from its texts."""

from collections.abc import Iterable

from msgspec.structs import replace

from syncd.core.policy import fits
from syncd.core.scrub import Scrubber
from syncd.model import Group, Storm


def redact(group: Group, allowed: Iterable[str], scrubber: Scrubber) -> Group:
    """The group for a tracker's eyes. `allowed` are patterns of attribute names."""
    patterns = tuple(allowed)
    attributes = tuple(
        (name, tuple(scrubber.text(value) for value in values))
        for name, values in group.attributes
        if fits(name, patterns)
    )
    return replace(
        group,
        application=None if group.application is None else scrubber.text(group.application),
        callstack=tuple(scrubber.text(frame) for frame in group.callstack),
        classifiers=tuple(scrubber.text(word) for word in group.classifiers),
        attributes=attributes,
        storm=None if group.storm is None else _storm(group.storm, scrubber),
    )


def _storm(storm: Storm, scrubber: Scrubber) -> Storm:
    largest = tuple((scrubber.text(name), users, occurrences) for name, users, occurrences in storm.largest)
    return replace(storm, largest=largest)
