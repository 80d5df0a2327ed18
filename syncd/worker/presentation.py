"""The texts of an issue as its tracker gets them: redacted, and from the templates of its route where it has any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from syncd.config import Config
from syncd.core import frames
from syncd.core.scrub import Scrubber, redact
from syncd.errors import ConfigError
from syncd.model import Announcement, Group, GroupKind, Place
from syncd.platform import access
from syncd.render import report
from syncd.render.report import ReportExtras
from syncd.render.templates import NAMES, Name, TemplateFailed, TemplateInvalid, Templates, facts
from syncd.render.text import Document

log = structlog.get_logger("syncd.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """The settings that decide what an issue says.

    `allowed` are patterns of attributes that may be shown, `skip` patterns of frames that no title names, `templates` those of
    each route that has any.
    """

    link_hosts: Sequence[str] = ()
    allowed: Sequence[str] = ()
    scrubber: Scrubber = field(default_factory=Scrubber)
    skip: Sequence[str] = frames.DEFAULT_SKIP
    templates: Mapping[str, Templates] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Config) -> "Presentation":
        """Read the settings and the templates of all routes. Raises ConfigError for a template that cannot be read."""
        privacy, titles = config.privacy, config.titles
        return cls(
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
                route.name: _read_templates(route.name, Path(route.templates))
                for route in config.all_routes
                if route.templates
            },
        )

    def present(self, group: Group, route: str | None) -> "Presented":
        """Redact the group for the texts of one sync. `route` names the route whose templates apply."""
        # Templates describe a crash; a storm has none.
        templates = None if group.kind is GroupKind.STORM else self.templates.get(route or "")
        return Presented(
            group=redact(group, self.allowed, self.scrubber), settings=self, route=route, templates=templates
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A redacted group and the texts of its issue, each rendered when it is called for.

    A template that fails is logged, and the default text stands in: no template keeps a crash from being filed.
    """

    group: Group
    settings: Presentation
    route: str | None
    templates: Templates | None

    def title(self) -> str:
        """The title of a new issue."""
        if self.templates is not None and "title" in self.templates:
            try:
                return self.templates.title(facts(self.group, ReportExtras()))
            except TemplateFailed as error:
                log.warning("template_failed", route=self.route, reason=str(error))
        return report.title(self.group, self.settings.skip)

    def body(self, *, previous: Place | None = None, alike: Sequence[Place] = ()) -> Document:
        """The body of a new issue. `previous` is the group's issue before, `alike` those of groups that look alike."""
        extras = ReportExtras(link_hosts=self.settings.link_hosts, previous=previous, alike=alike)
        return self._from_template("body", extras) or report.body(self.group, extras)

    def status(self, note: str = "") -> Document:
        """The status comment. `note` says why a closed issue was not reopened."""
        extras = ReportExtras(link_hosts=self.settings.link_hosts, note=note)
        return self._from_template("status", extras) or report.status(self.group, extras)

    def announcement(self, announcement: Announcement) -> Document:
        """A further comment."""
        extras = ReportExtras(link_hosts=self.settings.link_hosts)
        return self._from_template("comment", extras, announcement) or report.announcement(announcement)

    def _from_template(
        self, name: Name, extras: ReportExtras, announcement: Announcement | None = None
    ) -> Document | None:
        """The document as the route's template has it, or None without a template or if it fails."""
        if self.templates is None or name not in self.templates:
            return None
        try:
            return self.templates.document(
                name, facts(self.group, extras, announcement), report.parts(self.group, extras)
            )
        except TemplateFailed as error:
            log.warning("template_failed", route=self.route, reason=str(error))
            return None

    def template_faults(self, announcement: Announcement) -> list[str]:
        """Render every template of the route and return the reason of each failure."""
        if self.templates is None:
            return []
        extras = ReportExtras(link_hosts=self.settings.link_hosts)
        names, blocks = facts(self.group, extras, announcement), report.parts(self.group, extras)
        faults = []
        for name in NAMES:
            try:
                if name in self.templates:
                    self.templates.title(names) if name == "title" else self.templates.document(name, names, blocks)
            except TemplateFailed as error:
                faults.append(str(error))
        return faults


def _read_templates(route: str, folder: Path) -> Templates:
    """Read the templates in a folder. Raises ConfigError naming the route, the file and the fault."""
    key = f"routes.{route}.templates"
    sources: dict[str, str] = {}
    for name in NAMES:
        path = folder / f"{name}.j2"
        try:
            if path.exists():
                sources[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise ConfigError(
                [
                    f"{key}: {path} cannot be read: {access.explain(error, named=True) if isinstance(error, OSError) else error}"
                ]
            ) from None
    if not sources:
        raise ConfigError([f"{key}: {folder} has none of {', '.join(f'{name}.j2' for name in NAMES)}"])
    try:
        return Templates(sources)
    except TemplateInvalid as error:
        raise ConfigError([f"{key}: {folder}/{error}"]) from None
