"""The configured sources, made of the configuration."""

from syncd.config import Config, SourceMap
from syncd.config.sources import kinds
from syncd.intake.sources.rules import Shape, Shapes, SourceRules
from syncd.intake.sources.source import OpenSource
from syncd.intake.sources.values import Reading


def open_sources(config: Config) -> dict[str, OpenSource]:
    """Return the configured sources by name."""
    common, sources = config.notifications, {}
    for name, settings in config.sources.items():
        rules = SourceRules(
            kind=settings.kind,
            reader=settings.reader,
            counts=settings.counts,
            on_resolved=settings.on_resolved,
            project=settings.project,
            project_labels=settings.project_labels,
            per=settings.per,
            each=settings.each,
            only=settings.only,
            drop=settings.drop,
            fields={field: path for field in SourceMap.model_fields if (path := getattr(settings.map, field))},
            shapes=shapes(),
        )
        reading = Reading(
            release_attributes=common.release_attributes,
            release_pattern=settings.release_pattern or common.release_pattern,
            ignore_releases=[*common.ignore_releases, *settings.ignore_releases],
            zero_by_frames=common.zero_fingerprint == "frames",
        )
        sources[name] = OpenSource(name, rules, reading)
    return sources


def shapes() -> Shapes:
    """Return how the bodies of each kind are recognised."""
    return {name: Shape(kind.title, kind.shape, kind.keys.get("drop", ())) for name, kind in kinds().items()}
