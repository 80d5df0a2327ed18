"""Every error that syncd raises on purpose. Imports nothing: every module may import it."""


class SyncdError(Exception):
    """Base of all of syncd's errors."""


class ConfigError(SyncdError):
    """The configuration is invalid. `problems` are sentences, each of which names its key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RejectedDelivery(SyncdError):
    """The receiver does not accept this delivery.

    `status` is the HTTP status. `code` is the error code in the answer, the log and the metric. `field` names the invalid
    field, or is None.
    """

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class StoreError(SyncdError):
    """Base of the store's errors."""


class StoreUnavailable(StoreError):
    """Nothing was committed: the disk is full, the database locked, read-only or closing. A later try may succeed."""


class StoreUnusable(StoreUnavailable):
    """Nothing can be committed until a person changes the database, its place, or who may use it: a later try fails alike. The message
    names the remedy. A process that meets it at its start ends with the exit code of a wrong configuration."""


class SchemaMismatch(StoreUnusable):
    """The database has another schema than this program; the message names both versions and the remedy."""


class LeaseLost(StoreError):
    """Another worker owns the group now: this worker must discard its result."""


class TrackerError(SyncdError):
    """Base of an adapter's errors. `reason` is a sentence for people, without secrets or payloads. `silent`: the tracker's API has not
    answered, so that the way to it may be closed."""

    silent = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(TrackerError):
    """The request was certainly not carried out. Try again, after `retry_after` seconds if the tracker named a time."""

    silent = True

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Deferred(Unavailable):
    """The call waits for something else than the way to the tracker, such as a reading that is newer. It was certainly not carried out, and
    this says nothing about whether the tracker's API answers."""

    silent = False


class OutcomeUnknown(TrackerError):
    """The request may have been carried out. A create needs proof before it is sent again."""

    silent = True


class Throttled(TrackerError):
    """The request was not carried out, and the tracker wants no requests for `seconds`.

    If `narrow`, this concerns requests of the same kind; otherwise all that use the same credential.
    """

    def __init__(self, reason: str, seconds: float, *, narrow: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.narrow = narrow


class Refused(TrackerError):
    """The request was not carried out, and never will be with this content."""


class Misconfigured(TrackerError):
    """The request was not carried out, and none can succeed until a person changes the token, a permission or the project.

    `seconds` is the time without a request, if further requests do harm; otherwise None. `page`: what answered looks like a page for
    people, such as a login, and not like the tracker's API; it may be in the way for a while only. `login`: the tracker refuses the
    credential, whatever is requested.
    """

    def __init__(self, reason: str, seconds: float | None = None, *, page: bool = False, login: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.silent = page
        self.login = login


class Missing(TrackerError):
    """The comment to edit is deleted, or another account wrote it and this one may not change it (`foreign`); its issue exists."""

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.foreign = foreign


class Gone(TrackerError):
    """The issue is deleted. A control read has shown that the account may still read its neighbours; or another issue has its number by now
    (`replaced`)."""

    def __init__(self, reason: str, *, replaced: bool = False) -> None:
        super().__init__(reason)
        self.replaced = replaced


class OutOfReach(TrackerError):
    """The issue exists where the account may not read or change it; creating another one would duplicate it."""


class Moved(TrackerError):
    """The issue has another address now; the request to the old one was not carried out."""

    def __init__(self, reason: str, remote_id: str, key: str, url: str) -> None:
        super().__init__(reason)
        self.remote_id = remote_id
        self.key = key
        self.url = url
