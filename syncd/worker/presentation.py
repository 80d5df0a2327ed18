"""What trackers get to see of a group: scrubbed, in the words of its route's templates where it has any, else in ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import structlog

from syncd.config import Config
from syncd.core import frames
from syncd.core.scrub import Scrubber
from syncd.errors import ConfigError
from syncd.model import Announcement, Group, GroupKind
from syncd.render import report
from syncd.render.document import Document
from syncd.render.facts import facts
from syncd.render.redact import redact
from syncd.render.report import ReportExtras
from syncd.render.templates import NAMES, Name, TemplateInvalid, Templates

T = TypeVar("T")

log = structlog.get_logger("syncd.worker")

_OURS = Templates({})


def present(config: Config) -> "Presentation":
    """What the configuration says about it. Raises ConfigError for templates that cannot be read."""
    privacy, titles = config.privacy, config.titles
    return Presentation(
        link_hosts=config.links.hosts,
        allowed=privacy.attributes,
        scrubber=Scrubber(
            user_folders=privacy.scrub_user_folders,
            emails=privacy.scrub_emails,
            ips=privacy.scrub_ips,
            tokens=privacy.scrub_tokens,
        ),
        skip=(*titles.skip_frames, *(() if titles.only_these else frames.DEFAULT_SKIP)),
        templates={
            route.name: _read(route.name, Path(route.templates)) for route in config.all_routes if route.templates
        },
    )


def _read(route: str, folder: Path) -> Templates:
    """The templates in a folder. Raises ConfigError naming the route, the file and the fault."""
    key = f"routes.{route}.templates"
    sources: dict[str, str] = {}
    for name in NAMES:
        path = folder / f"{name}.j2"
        try:
            if path.exists():
                sources[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise ConfigError([f"{key}: {path} cannot be read: {error}"]) from None
    if not sources:
        raise ConfigError([f"{key}: {folder} has none of {', '.join(f'{name}.j2' for name in NAMES)}"])
    try:
        return Templates(sources)
    except TemplateInvalid as error:
        raise ConfigError([f"{key}: {folder}/{error.reason}"]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How groups are shown. `allowed` are patterns of the attributes that may be; `skip` of frames that say nothing;
    `templates` are those of routes."""

    link_hosts: Sequence[str] = ()
    allowed: Sequence[str] = ()
    scrubber: Scrubber = field(default_factory=Scrubber)
    skip: Sequence[str] = frames.DEFAULT_SKIP
    templates: Mapping[str, Templates] = field(default_factory=dict)

    def group(self, group: Group) -> Group:
        """The group as others may see it."""
        return redact(group, self.allowed, self.scrubber)

    def title(self, group: Group, route: str | None) -> str:
        """The title of a new issue."""
        seen = self.group(group)
        ours = report.title(seen, self.skip)
        title, fault = self._of(group, route).title(facts(seen, ReportExtras()), ours)
        return _told(title, fault, route)

    def body(self, group: Group, extras: ReportExtras, route: str | None) -> Document:
        """The body of a new issue."""
        extras = replace(extras, link_hosts=self.link_hosts)
        seen = self.group(group)
        return self._document("body", group, seen, extras, route, report.body(seen, extras))

    def status(self, group: Group, extras: ReportExtras, route: str | None) -> Document:
        """The status comment."""
        extras = replace(extras, link_hosts=self.link_hosts)
        seen = self.group(group)
        return self._document("status", group, seen, extras, route, report.status(seen, extras))

    def announcement(self, owed: Announcement, group: Group, route: str | None) -> Document:
        """A further comment."""
        extras, seen = ReportExtras(link_hosts=self.link_hosts), self.group(group)
        return self._document("comment", group, seen, extras, route, report.announcement(owed), owed)

    def faults(self, group: Group, owed: Announcement, route: str) -> list[str]:
        """Why templates of a route would not be used for such a group."""
        seen, extras, templates = self.group(group), ReportExtras(link_hosts=self.link_hosts), self._of(group, route)
        said, blocks = facts(seen, extras, owed), report.parts(seen, extras)
        found = [templates.title(said, "ours")[1]]
        found += [templates.document(name, said, blocks, ())[1] for name in NAMES if name != "title"]
        return [fault for fault in found if fault]

    def _document(
        self,
        name: Name,
        group: Group,
        seen: Group,
        extras: ReportExtras,
        route: str | None,
        ours: Document,
        owed: Announcement | None = None,
    ) -> Document:
        blocks = report.parts(seen, extras)
        made, fault = self._of(group, route).document(name, facts(seen, extras, owed), blocks, ours)
        return _told(made, fault, route)

    def _of(self, group: Group, route: str | None) -> Templates:
        # A storm is told of in our words: templates speak of crashes.
        return _OURS if group.kind is GroupKind.STORM else self.templates.get(route or "", _OURS)


def _told(made: T, fault: str, route: str | None) -> T:
    if fault:
        log.warning("template_failed", route=route, reason=fault)
    return made
