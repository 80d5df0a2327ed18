"""Every error syncd raises on purpose. Imports nothing, so that nothing can cycle."""


class SyncdError(Exception):
    """Base of all of them."""


class ConfigError(SyncdError):
    """The configuration cannot be used; `problems` are complete sentences, each naming its key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RejectedDelivery(SyncdError):
    """A delivery that cannot be taken.

    `status` is the HTTP answer; `code` is at once the answer's code, the log field and the metric label;
    `field` names the offending field, or is None.
    """

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class StoreError(SyncdError):
    """Base of what the store can answer besides a result."""


class StoreUnavailable(StoreError):
    """Nothing was committed: disk full, locked, read-only, closing. Later it may work."""


class SchemaMismatch(StoreError):
    """The database does not fit this program; the message names both and the remedy."""


class LeaseLost(StoreError):
    """Another worker owns the group now: the result in hand must be dropped."""


class TrackerError(SyncdError):
    """Base of what an adapter raises; `reason` is a sentence for people, without secrets or payloads."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(TrackerError):
    """It certainly did not happen; try again, after `retry_after` seconds where the tracker said so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class OutcomeUnknown(TrackerError):
    """The request may have been carried out. A create must be proved before it is sent again."""


class Throttled(TrackerError):
    """It did not happen and the tracker asks for silence for `seconds`.

    `narrow`: only requests of this kind are to stop; otherwise all that use the same credential.
    """

    def __init__(self, reason: str, seconds: float, *, narrow: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.narrow = narrow


class Refused(TrackerError):
    """It did not happen and never will with this content."""


class Misconfigured(TrackerError):
    """It did not happen and no group can succeed until a person changes something (token, permission, project).

    `seconds` is how long not to ask again where asking does harm, or None.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Missing(TrackerError):
    """The comment that was to be changed is gone; its issue is there."""


class Gone(TrackerError):
    """The issue is deleted; a control read has shown that we may still see its neighbours."""


class OutOfReach(TrackerError):
    """The issue lives on where we may not see or change it; another one would be its double."""


class Moved(TrackerError):
    """The issue has another address now, and what was asked was not done under the old one."""

    def __init__(self, reason: str, remote_id: str, key: str, url: str) -> None:
        super().__init__(reason)
        self.remote_id = remote_id
        self.key = key
        self.url = url
