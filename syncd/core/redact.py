"""A group, and the texts of its comments, as a tracker may see them: cut to what is shown, then scrubbed. Pure.

Nothing of a group leaves but what this returns: writers, templates, labels and mapped fields read no other one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import lru_cache
from urllib.parse import quote, unquote

from msgspec.structs import replace

from syncd.core.patterns import fits
from syncd.core.scrub import LONGEST_VALUE, Scrubber, version
from syncd.model import Announcement, Group, Identity

MOST_FRAMES = 60
LONGEST_LINE = 1000  # characters of a frame or another text
_STORED_LINE = 4096  # characters to which such a text is cut when it is stored

# Names of attributes that point to a person or a device, whatever the configuration allows. They are compared as words in lower case with
# dots between them: `deviceName`, `Device-Name`, `DEVICE_NAME` and `devicename` are all device.name. Sources: what Backtrace's SDKs
# send (Unity, Android, Cocoa, JavaScript, C#, Python, Unreal, Crashpad), and the usual names of the same.
NEVER: tuple[str, ...] = (
    # devices
    "*guid", "*guids", "guid.*", "*uuid*", "*udid*", "*hostname*", "*host.name*", "host", "*.host", "fqdn", "*machine.name*", "*machine.id*", "device.machine",
    "*computer.name*", "*device.name*", "*device.id*", "*device.identifier*", "*imei*", "serial", "*.serial", "*serial.number*", "*hardware.id*",
    "*advertising*", "*idfa*", "*idfv*", "*android.id*", "*install.id*", "*installation.id*", "*client.id*", "mac", "*.mac", "*ssid*",
    # people
    "*user*", "*session*", "*login*", "*account*", "*customer*", "*player.name*", "*player.id*", "*steam.id*", "person*", "*nick.name*", "*nickname*",
    "owner", "*.owner", "author", "*.author", "*contact*", "phone", "*phone.number*", "*telephone*", "*birth*", "*gender*", "*real.name*",
    "*full.name*", "*first.name*", "*last.name*", "*display.name*", "*mail*", "*location", "location*", "*.location.*", "*latitude*",
    "*longitude*", "gps*", "*.gps*", "geo.*", "*.geo.*", "city", "*.city", "*postal*", "*zip.code*",
    # what gives access
    "*password*", "*passwd*", "*secret*", "*token*", "*credential*", "*cookie*", "*api.key*", "*access.key*", "*private.key*",
    # addresses and places on a machine
    "ip", "ip.*", "*.ip", "*.ip.*", "ipv?", "*ipv4*", "*ipv6*", "*ip.addr*", "*address*", "*path*", "*cwd*", "*cache*", "*directory*", "dir", "*.dir",
    "*folder*", "*file.name*", "*command.line*", "*cmd.line*", "*cmdline*", "argv*", "*.argv*", "args", "*.args", "env.*", "*environ",
    "process.id", "pid", "*.pid",
    # pages and what people write
    "url", "url.*", "*.url", "*.url.*", "uri", "uri.*", "*.uri", "*.uri.*", "*href*", "document.*", "*referrer*", "*referer*", "*query.string*",
    "description", "*.description", "comment*", "*.comment*", "*feedback*", "notes", "*.notes", "*clipboard*",
)  # fmt: skip
# These fit one of them, and say something about memory or the program.
_HARMLESS = (
    "fault.address",
    "crash.address",
    "memory.address",
    "instruction.address",
    "*allocation",
    "*allocation.*",
    "cache.size",
)
_SEVERAL_WORDS = tuple(pattern.replace(".", "") for pattern in NEVER if "." in pattern.strip("*."))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN = re.compile(r"[^a-z0-9*?]+")


def _dotted(name: str) -> str:
    return _BETWEEN.sub(".", _CAMEL.sub(".", name[:LONGEST_VALUE]).lower()).strip(".")


@lru_cache(4096)
def private(name: str, never: tuple[str, ...] = ()) -> bool:
    """True if no issue may have the attribute with this name: it fits NEVER, or one of the patterns in `never`."""
    dotted = _dotted(name)
    joined = dotted.replace(".", "")
    configured = tuple(map(_dotted, never))
    if fits(dotted, configured) or fits(joined, configured):
        return True
    return not fits(dotted, _HARMLESS) and (fits(dotted, NEVER) or fits(joined, (*NEVER, *_SEVERAL_WORDS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactor:
    """The settings that decide what may leave. `allowed` are patterns of attributes, `of_sources` more of them by the universe of a source, `never` more of those that `private` refuses, `query`
    names of parameters that stay in links."""

    allowed: Sequence[str] = ()
    of_sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    never: Sequence[str] = ()
    query: Sequence[str] = ()
    scrubber: Scrubber = field(default_factory=Scrubber)

    def group(self, group: Group) -> Group:
        """The group without what may not leave: with its first MOST_FRAMES frames, and with the attributes that may be shown."""
        line, storm, identity = self.text, group.storm, group.identity
        versions = self.versions(group)
        counts = dict(zip(group.attributes, group.attribute_counts, strict=False))
        patterns = (*self.allowed, *self.of_sources.get(identity.universe, ()))
        allowed = [
            each for each in group.attributes if fits(each[0], patterns) and not private(each[0], tuple(self.never))
        ]
        if storm is not None:
            largest = tuple(
                (line(title), line(beginning), users, occurrences)
                for title, beginning, users, occurrences in storm.largest
            )
            shares = tuple((name, line(value), percent) for name, value, percent in storm.shares)
            storm = replace(storm, largest=largest, shares=shares)
        return replace(
            group,
            identity=Identity(line(identity.universe), line(identity.project), line(identity.fingerprint)),
            application=group.application and line(group.application),
            group_url=group.group_url and self.address(group.group_url),
            object_id=group.object_id and line(group.object_id),
            message=group.message and self.scrubber.excerpt(group.message, _STORED_LINE, _STORED_LINE, versions),
            callstack=tuple(map(line, group.callstack[:MOST_FRAMES])),
            classifiers=tuple(map(self._value, group.classifiers)),
            releases=tuple(replace(row, release=self.scrubber.release(row.release)) for row in group.releases),
            attributes=tuple(
                (self._value(name), tuple(self._value(value, versions, name) for value in values))
                for name, values in allowed
            ),
            attribute_counts=tuple(counts.get(attribute, ()) for attribute in allowed) if counts else (),
            aliases=tuple(map(line, group.aliases)),
            follows=group.follows and line(group.follows),
            storm=storm,
        )

    def versions(self, group: Group) -> tuple[str, ...]:
        """The numbers in the group's releases that look like IP addresses and are versions."""
        return tuple(numbers for row in group.releases for numbers in version(row.release))

    def text(self, text: str, versions: Sequence[str] = ()) -> str:
        """A text of at most LONGEST_LINE characters. `versions` are no IP addresses."""
        return self.scrubber.excerpt(text, LONGEST_LINE, _STORED_LINE, versions)

    def _value(self, value: str, versions: Sequence[str] = (), name: str = "") -> str:
        # An attribute such as `os.version` has a version that no release of the group has.
        spared = (*versions, *version(value)) if "version" in name.lower() else versions
        return self.scrubber.excerpt(value, LONGEST_VALUE, LONGEST_VALUE, spared)

    def announcement(self, announcement: Announcement, versions: Sequence[str] = ()) -> Announcement:
        """A further comment with its texts scrubbed."""
        facts = {
            name: self.text(fact, (*versions, *version(fact))) if isinstance(fact, str) else fact
            for name, fact in announcement.facts.items()
        }
        return changed(announcement, facts=facts)

    def address(self, url: str) -> str:
        """The scrubbed address with the parameters of its query that `query` allows and that have nothing private, and without its fragment."""
        place, _, query = url[:_STORED_LINE].partition("#")[0].partition("?")
        kept = [
            parameter
            for parameter in re.split("[&;]", query)
            if parameter.partition("=")[0] in self.query and self._is_public(parameter)
        ]
        if not self._is_public(place):
            place = quote(self.scrubber.text(_decoded(place)), safe="/:;=<>")
        return self.text(place) + ("?" if kept else "") + "&".join(kept)

    def _is_public(self, text: str) -> bool:
        return all(
            self.scrubber.text(form) == form for form in (text, _decoded(text), _decoded(text).replace("+", " "))
        )


def _decoded(text: str) -> str:
    """The text without the escapes of an address, which may be escaped themselves."""
    for _ in range(3):
        text = unquote(text)
    return text
