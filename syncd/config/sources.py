"""`[sources.NAME]`: senders besides the one at /webhooks/backtrace, how each logs in, and what its bodies mean.

`kinds/` has a table for each kind: what its bodies look like, and the keys that it sets in a section. The keys of the file come first.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from syncd.config.values import Expression, Globs, Seconds, Secret, Section, did_you_mean
from syncd.core import paths

Login = Literal["basic", "bearer", "header", "hmac", "path"]
SIGNED = re.compile(r"(?:[^{}]|\{(?:body|timestamp|header:[A-Za-z0-9-]+)\})*")
Query = Annotated[str, AfterValidator(paths.check)]


@dataclass(frozen=True, slots=True)
class Kind:
    """What syncd knows of a kind of sender: its `title` for people, the expression that its bodies satisfy, the `hosts` of its own pages, and
    the keys that it sets."""

    title: str
    shape: str
    hosts: tuple[str, ...]
    keys: Mapping[str, Any]


@cache
def kinds() -> Mapping[str, Kind]:
    """Return the kinds of sources by name."""
    tables = sorted(
        (entry for entry in files("syncd.config").joinpath("kinds").iterdir()), key=lambda entry: entry.name
    )
    parsed = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in tables
        if entry.name.endswith(".toml")
    }
    return {
        name: Kind(table["title"], table["shape"], tuple(table.get("hosts", ())), table["keys"])
        for name, table in parsed.items()
    }


class SourceMap(Section):
    """`[sources.NAME.map]`: expressions of JMESPath, each for a field of a notification."""

    fingerprint: Query | None = None
    """what makes two notifications the same crash; required. Numbers become text"""
    project: Query | None = None
    """the project; required, unless the section has `project`"""
    title: Query | None = None
    """the first line of what the source reports; the title of an issue"""
    detail: Query | None = None
    """further lines of it"""
    application: Query | None = None
    """the application"""
    frames: Query | None = None
    """the names of the functions of the call stack, the innermost first"""
    occurrences: Query | None = None
    """the count, as `counts` says"""
    users: Query | None = None
    """the number of users"""
    hosts: Query | None = None
    """the number of machines"""
    event: Query | None = None
    """the identifier of one occurrence: a second notification of it counts nothing"""
    release: Query | None = None
    """the release that it happened in"""
    first: Query | None = None
    """the time of the first occurrence: ISO 8601, or seconds or milliseconds since 1970"""
    last: Query | None = None
    """the time of the latest occurrence"""
    url: Query | None = None
    """the address of the crash in the source"""
    classifiers: Query | None = None
    """a list of words that describe the crash"""
    attributes: Query | None = None
    """an object of further facts, each a text or a number"""
    state: Query | None = None
    """what the source reports of the crash: `'resolved'`, `'regressed'`, `'ignored'` or `'open'`"""


class Source(Section):
    """`[sources.NAME]`: a further sender, which posts to /sources/NAME."""

    kind: str
    """what sends: `"alertmanager"`, `"backtrace"`, `"bugsink"`, `"bugsnag"`, `"bugsplat"`, `"generic"`, `"glitchtip"`, `"grafana"`,
    `"honeybadger"`, `"raygun"`, `"rollbar"` or `"sentry"`; it sets the defaults of the keys below"""
    login: Login = "basic"
    """how the sender shows that it knows the secret: `"basic"` and `"bearer"` in the header Authorization, `"header"` in the header of that
    name, `"hmac"` by a signature in it, `"path"` behind the name in the address: `/sources/NAME/SECRET`. The kind decides unless this key does"""
    username: str | None = None
    """with `"basic"`: the user name"""
    header: str | None = None
    """with `"header"`: the header that has the secret; with `"hmac"`: the one that has the signature"""
    prefix: str = ""
    """what comes before the signature in its header: `"sha256="`"""
    encoding: Literal["hex", "base64"] = "hex"
    """how the signature, an HMAC by SHA-256, is written"""
    signed: str = "{body}"
    """what is signed; `{timestamp}` stands for the value of `timestamp_header`, `{header:NAME}` for that of any header: `"{timestamp}:{body}"`"""
    timestamp_header: str | None = None
    """the header with the time of the signature, in seconds since 1970"""
    tolerance: Annotated[Seconds, Field(gt=0)] = 300.0
    """how far that time may be from syncd's clock"""
    secret: Secret | None = None
    """a secret; without it syncd accepts every sender, and only where `receiver.listen` is a loopback address"""
    previous_secret: Secret | None = None
    """the old secret, still accepted during rotation"""
    project: str | None = None
    """the project of all notifications; without it each names its own"""
    project_labels: list[str] = ["namespace", "job", "service"]
    """with Alertmanager and Grafana: labels that name the project; the first that an alert has counts, and its receiver where it has none"""
    per: Literal["alert", "group"] = "alert"
    """with Alertmanager and Grafana: one issue for each `"alert"`, which is each set of labels, or for each `"group"` of `group_by`"""
    counts: Literal["cumulative", "window", "event"] = "event"
    """what `occurrences` means: `"cumulative"`, a total of the crash; `"window"`, occurrences to be added; `"event"`, nothing: each notification is
    one occurrence, unless it says 0"""
    on_resolved: Literal["note", "close", "ignore"] = "note"
    """what a source's word that a crash is resolved does: `"note"` shows it in the status comment, `"close"` closes the issue too, `"ignore"` leaves
    the word out. The history has it unless it is ignored"""
    attributes: Globs = []
    """patterns of its attributes that may appear in issues, besides those of `privacy.attributes`; with Alertmanager and Grafana attributes are
    labels"""
    release_pattern: Expression | None = None
    """as `notifications.release_pattern`, for this source: `"@([^+]+)"` makes `2.4.0` of Sentry's `game@2.4.0+77`"""
    ignore_releases: Globs = []
    """as `notifications.ignore_releases`"""
    each: str | None = None
    """the path of a list, such as `"alerts"`: each of its items is a notification. Expressions read the item, and the rest of the body as
    `envelope`"""
    only: Query | None = None
    """an expression; a body for which it is false is answered 200 and ignored"""
    drop: list[str] = []
    """paths that are removed before anything is stored, besides names that always are: `"data.event.extra"`, `"frames[].vars"`"""
    map: SourceMap = SourceMap()
    """a table, see below"""

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, value: object) -> object:
        if not isinstance(value, dict) or not isinstance(name := value.get("kind"), str):
            return value
        if (kind := kinds().get(name)) is None:
            raise ValueError(f"{name!r} is no kind of source{did_you_mean(name, list(kinds()))}")
        mapping = value.get("map", {})
        merged = {**kind.keys.get("map", {}), **mapping} if isinstance(mapping, dict) else mapping
        drop = value.get("drop", [])
        dropped = [*kind.keys.get("drop", []), *drop] if isinstance(drop, list) else drop
        return {**kind.keys, **value, "map": merged, "drop": dropped}

    @model_validator(mode="after")
    def _complete(self) -> "Source":
        if problems := [*self._login_problems(), *self._map_problems()]:
            raise ValueError("; ".join(problems))
        return self

    def _login_problems(self) -> Iterator[str]:
        if self.login == "basic" and (self.username is None) != (self.secret is None):
            yield "username and secret belong together; set both or neither"
        if self.login != "basic" and self.username is not None:
            yield f'username is for login = "basic", and this source has "{self.login}"'
        if self.login in ("header", "hmac") and self.header is None:
            what = "the secret" if self.login == "header" else "the signature"
            yield f'login = "{self.login}" needs header, the name of the header with {what}'
        if self.previous_secret is not None and self.secret is None:
            yield "previous_secret is for rotation, and needs secret as well"
        if self.login == "hmac":
            if self.signed.count("{body}") != 1 or not SIGNED.fullmatch(self.signed):
                yield "signed needs {body} once, and may have {timestamp} and {header:NAME}"
            if ("{timestamp}" in self.signed) != (self.timestamp_header is not None):
                yield "timestamp_header and {timestamp} in signed belong together; set both or neither"

    def _map_problems(self) -> Iterator[str]:
        if self.reader != "generic":
            if self.map != SourceMap() or self.each is not None:
                yield f'map and each are for kind = "generic"; {kinds()[self.kind].title} is read without them'
            return
        if self.map.fingerprint is None:
            yield "map.fingerprint is missing; without it no crash can be identified"
        if self.map.project is None and self.project is None:
            yield "map.project is missing; set it, or project to a name for all notifications"

    @property
    def title(self) -> str:
        """The sender's name for people."""
        return kinds()[self.kind].title

    @property
    def reader(self) -> str:
        """The name of the program that reads the bodies."""
        if self.kind in ("alertmanager", "grafana"):
            return "alertmanager"
        return self.kind if self.kind in ("backtrace", "sentry") else "generic"
