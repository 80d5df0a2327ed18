"""What trackers get to see of a group: scrubbed, in the words of its route's templates where it has any, else in ours."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from syncd import frames
from syncd.config import Config
from syncd.model import Announcement, Group
from syncd.render import report
from syncd.render.document import Document
from syncd.render.report import Beside
from syncd.render.shown import shown
from syncd.scrub import Scrubber


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
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How groups are shown. `allowed` are patterns of the attributes that may be; `skip` of frames that say nothing."""

    link_hosts: Sequence[str] = ()
    allowed: Sequence[str] = ()
    scrubber: Scrubber = field(default_factory=Scrubber)
    skip: Sequence[str] = frames.DEFAULT_SKIP

    def group(self, group: Group) -> Group:
        """The group as others may see it."""
        return shown(group, self.allowed, self.scrubber)

    def title(self, group: Group, route: str | None) -> str:
        """The title of a new issue."""
        return report.title(self.group(group), self.skip)

    def body(self, group: Group, beside: Beside, route: str | None) -> Document:
        """The body of a new issue."""
        return report.body(self.group(group), replace(beside, link_hosts=self.link_hosts))

    def status(self, group: Group, beside: Beside, route: str | None) -> Document:
        """The status comment."""
        return report.status(self.group(group), replace(beside, link_hosts=self.link_hosts))

    def announcement(self, owed: Announcement, group: Group, route: str | None) -> Document:
        """A further comment."""
        return report.announcement(owed)
