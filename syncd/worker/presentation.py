"""The texts of an issue as its tracker gets them: redacted, and from the templates of its route where it has any."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import cache, partial
from pathlib import Path

import msgspec
import structlog

from syncd.config import Config
from syncd.config.sources import kinds
from syncd.core import titles
from syncd.core.redact import MOST_FRAMES, Redactor
from syncd.core.scrub import Scrubber, version
from syncd.errors import ConfigError
from syncd.intake.sources.rules import UNIVERSE
from syncd.model import Announcement, Group, GroupKind, Place
from syncd.platform import access
from syncd.render import parts, report
from syncd.render.addresses import group_page, segment
from syncd.render.parts import ReportExtras
from syncd.render.templates import NAMES, Name, TemplateFailed, TemplateInvalid, Templates, facts
from syncd.render.text import Document, Link, Span

log = structlog.get_logger("syncd.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """The settings that decide what an issue says.

    `rules` are the patterns of `[titles]`, `routes` those of each route with its own before them, `closings` what each route does when an issue
    is closed, `unreleased` the same where no release is known, `templates` those of each route that has any. `console` is the public address of the console, or empty.
    """

    link_hosts: Sequence[str] = ()
    redactor: Redactor = field(default_factory=Redactor)
    rules: titles.Rules = titles.DEFAULT
    routes: Mapping[str, titles.Rules] = field(default_factory=dict)
    closings: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    unreleased: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    templates: Mapping[str, Templates] = field(default_factory=dict)
    console: str = ""

    @classmethod
    def from_config(cls, config: Config) -> "Presentation":
        """Read the settings and the templates of all routes. Raises ConfigError for a template that cannot be read."""
        privacy, rules = config.privacy, config.titles.rules()
        return cls(
            link_hosts=[
                *config.links.hosts,
                *(host for source in config.sources.values() for host in kinds()[source.kind].hosts),
            ],
            redactor=Redactor(
                allowed=privacy.attributes,
                of_sources={f"{UNIVERSE}{name}": source.attributes for name, source in config.sources.items()},
                never=privacy.never,
                query=config.links.query,
                scrubber=Scrubber(
                    user_folders=privacy.scrub_user_folders,
                    emails=privacy.scrub_emails,
                    ips=privacy.scrub_ips,
                    tokens=privacy.scrub_tokens,
                    devices=privacy.scrub_devices,
                ),
            ),
            rules=rules,
            routes={route.name: rules.extended(route.titles) for route in config.all_routes},
            closings={
                route.name: report.closing(route.on_regression, route.reopen_window, route.wont_fix, route.ignore_label)
                for route in config.all_routes
            },
            unreleased={
                route.name: report.closing_unreleased(route.on_regression, route.unknown_release, route.ignore_label)
                for route in config.all_routes
            },
            console=config.console.url,
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
            group=self.redactor.group(group),
            more_frames=len(group.callstack[MOST_FRAMES:]),
            culprit=cache(partial(self._culprit, group, route)),
            ranks=cache(partial(self._ranks, group, route)),
            page=self._page(group),
            versions=self.redactor.versions(group),
            settings=self,
            route=route,
            templates=templates,
        )

    def _page(self, group: Group) -> str:
        """The address of the group's page in the console, or of the list of what a storm holds back; empty without a public address. Names in an
        address are not scrubbed: of an identity with private data only the fingerprint is in it, or nothing."""
        if not self.console:
            return ""
        if group.kind is GroupKind.STORM:
            return f"{self.console}/groups?state=held"
        universe, project, fingerprint = (
            self.redactor.text(each) == each
            for each in (group.identity.universe, group.identity.project, group.identity.fingerprint)
        )
        if not fingerprint:
            return ""
        page = group_page(group.identity) if universe and project else f"/groups/{segment(group.identity.fingerprint)}"
        return f"{self.console}{page}"

    def _culprit(self, group: Group, route: str | None) -> titles.Culprit | None:
        """The function that a title names, scrubbed. It may be below those that an issue shows."""
        named = parts.culprit(group, self.routes.get(route or "", self.rules))
        return named and changed(
            named, name=self._name(named.name, named.frame), caller=self._name(named.caller, named.caller_frame)
        )

    def _ranks(self, group: Group, route: str | None) -> Sequence[titles.Rank]:
        """The ranks of the frames that an issue shows, by what they were before they were scrubbed."""
        return titles.ranks(group.callstack[:MOST_FRAMES], group.application, self.routes.get(route or "", self.rules))

    def _name(self, name: str, frame: str) -> str:
        """The name in a frame, scrubbed. What a scrubber recognises may be in front of the name or behind it, so the frame comes first."""
        scrubbed = self.redactor.text(frame)
        return self.redactor.text(name if scrubbed == frame else titles.read(scrubbed).name or scrubbed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A redacted group and the texts of its issue, each rendered when it is called for. `more_frames` are not in the redacted group,
    `versions` look like IP addresses and are none.

    A template that fails is logged, and the default text stands in: no template keeps a crash from being filed.
    """

    group: Group
    more_frames: int
    culprit: Callable[[], titles.Culprit | None]
    ranks: Callable[[], Sequence[titles.Rank]]
    versions: Sequence[str]
    settings: Presentation
    route: str | None
    page: str
    templates: Templates | None

    def title(self) -> str:
        """The title of a new issue."""
        if self.templates is not None and "title" in self.templates:
            try:
                return self.templates.title(facts(self.group, self._extras()))
            except TemplateFailed as error:
                log.warning("template_failed", route=self.route, reason=str(error))
        return report.headline(self.group, self.culprit())

    def body(self, *, previous: Place | None = None, alike: Sequence[Place] = ()) -> Document:
        """The body of a new issue. `previous` is the group's issue before, `alike` those of groups that look alike."""
        extras = self._extras(previous=previous, alike=alike)
        return self._from_template("body", extras) or report.body(self.group, extras)

    def status(self, note: str = "", fixed_in: Sequence[str] = ()) -> Document:
        """The status comment. `note` says why a closed issue was not reopened, and may name the releases `fixed_in`."""
        versions = (*self.versions, *(numbers for release in fixed_in for numbers in version(release)))
        extras = self._extras(note=self.settings.redactor.text(note, versions))
        return self._from_template("status", extras) or report.status(self.group, extras)

    def summary(self) -> Document:
        """The first line of an issue, without a template and links, for a notice."""
        extras = changed(self._extras(), console="")
        return parts.parts(msgspec.structs.replace(self.group, group_url=None), extras)["headline"]

    def links(self) -> list[Link]:
        """The group in the crash reporter and in syncd's console."""
        return [span for spans in parts.links(self.group, self._extras()) for span in spans if isinstance(span, Link)]

    def announcement(self, announcement: Announcement) -> Document:
        """A further comment."""
        extras = self._extras()
        redacted = self.settings.redactor.announcement(announcement, self.versions)
        return self._from_template("comment", extras, redacted) or report.announcement(redacted, self.group, extras)

    def _extras(self, *, previous: Place | None = None, alike: Sequence[Place] = (), note: str = "") -> ReportExtras:
        settings, is_crash = self.settings, self.group.kind is not GroupKind.STORM
        unreleased = self.group.message is not None and not self.group.releases
        closings = settings.unreleased if unreleased else settings.closings
        return ReportExtras(
            link_hosts=settings.link_hosts,
            console=self.page,
            previous=previous,
            alike=alike,
            note=note,
            more_frames=self.more_frames,
            named=self.culprit() if is_crash else None,
            ranks=self.ranks() if is_crash else (),
            route=self.route or "",
            closing=closings.get(self.route or "", ()),
        )

    def _from_template(
        self, name: Name, extras: ReportExtras, announcement: Announcement | None = None
    ) -> Document | None:
        """The document as the route's template has it, or None without a template or if it fails."""
        if self.templates is None or name not in self.templates:
            return None
        try:
            return self.templates.document(
                name, facts(self.group, extras, announcement), parts.parts(self.group, extras)
            )
        except TemplateFailed as error:
            log.warning("template_failed", route=self.route, reason=str(error))
            return None

    def template_faults(self, announcement: Announcement) -> list[str]:
        """Render every template of the route and return the reason of each failure."""
        if self.templates is None:
            return []
        names, blocks = facts(self.group, self._extras(), announcement), parts.parts(self.group, self._extras())
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
