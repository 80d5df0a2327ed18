"""What `check` finds of the receiver and of the sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from syncd.config import Config
from syncd.errors import ConfigError
from syncd.intake.logins import SourceLogin
from syncd.intake.sources.rules import PATH
from syncd.trackers import Finding


@dataclass(frozen=True, slots=True)
class Obstacle(Finding):
    """A problem with which `syncd run` does not start, and that no retry mends."""


@dataclass(frozen=True, slots=True)
class Advice(Finding):
    """What a person should know or do outside of syncd, and that nothing here can check."""


def receiver_findings(config: Config) -> Iterator[Finding]:
    """Where Backtrace posts, and whether the secrets can be read."""
    receiver = config.receiver
    for key, secret in (("password", receiver.password), ("previous_password", receiver.previous_password)):
        try:
            if secret is not None:
                secret.read(f"receiver.{key}")
        except ConfigError as error:
            yield Obstacle(ok=False, what=f"syncd cannot read receiver.{key}", remedy="; ".join(error.problems))
    login = "with user name and password" if receiver.password else "without a login"
    yield Finding(ok=True, what=f"it listens on http://{receiver.listen}/webhooks/backtrace {login}")
    if config.backtrace:
        return  # its own check reads them
    yield Advice(
        ok=True,
        what="Backtrace needs two alerts that send there: one on new fingerprints, which files issues, and one on every error "
        "or error per fingerprint, which updates the counts",
    )


def source_findings(config: Config) -> Iterator[Finding]:
    """Where each source posts, and whether its secrets can be read."""
    for name, source in config.sources.items():
        try:
            SourceLogin(name, source)
        except ConfigError as error:
            yield Obstacle(ok=False, what=f"the secret of {name} cannot be used", remedy="; ".join(error.problems))
            continue
        secret = "/SECRET" if source.login == "path" and source.secret is not None else ""
        login = "without a login" if source.secret is None else f"with login = {source.login}"
        address = f"http://{config.receiver.listen}{PATH}{name}{secret}"
        yield Finding(ok=True, what=f"{name}: {source.title} posts to {address} {login}")
