"""The sentence of a title: the kind of crash, the function, the application. Pure."""

import re
from collections.abc import Sequence

from syncd.core.titles.judging import Culprit

LONGEST = 90  # characters of a title
_LONGEST_CLASS = 48
_LONGEST_CALLER = 40
_EXCEPTION = re.compile(
    r"(?:[A-Za-z_][\w-]{0,100}(?:\.|::|\$))*([A-Za-z_]\w{0,100}(?:Exception|Error|Warning|Interrupt|Exit|Fault|Abort))"
)
# The kinds that classifiers and types of errors name, in lower case, before what the frames say.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "Hang",
        re.compile(
            r"(?:app(?:lication)?[ _-]?)?(?:hang|hung|anr|freeze|watchdog|deadlock|not[ _-]?responding|applicationnotresponding)(?:[ _-]?exception)?"
        ),
    ),
    (
        "Out of memory",
        re.compile(
            r"(?:.*[._:])?(?:oom|out[ _-]?of[ _-]?memory\w*|oomexception|oom[ _-]kill\w*|memory[ _-]?exhaust\w*|bad_alloc|memoryerror|low[ _-]memory)"
        ),
    ),
    (
        "Stack overflow",
        re.compile(
            r"(?:.*[._:])?(?:stack[ _-]?overflow(?:error|exception)?|stackoverflow\w*|recursionerror|stack[ _-]exhaust\w*)"
        ),
    ),
    (
        "Assertion",
        re.compile(
            r"(?:.*[._:])?(?:assert(?:ion)?(?:[ _-]?(?:failure|failed|error|exception))?|check[ _-]failed|ensure)"
        ),
    ),
)
_OUT_OF_MEMORY = re.compile(
    r"(?:^|[^A-Za-z])oom(?:[^a-z]|$)|Oom|OOM|OutOfMemory|OnNoMemory|bad_alloc|alloc_error|no_memory"
)
_ASSERTION = re.compile(
    r"(?i)^(?:.*::)?(?:_*assert(?:ion)?(?:_?fail\w*|_rtn)?|wassert|qt_assert\w*|g_assertion_message\w*|assertfail\w*|replacement_assert|glibcxx_assert\w*)$|assert_fail|CheckVerifyFailed|CheckError|CheckFailed|NSAssertionHandler|DispatchCheckVerify|AssertFailed|DCheck"
)


def kind(
    classifiers: Sequence[str], error_types: Sequence[str], culprit: Culprit | None, exception: str | None = None
) -> str:
    """The kind of crash: what classifiers and types of errors say, then what the frames above the culprit do, else `Crash`."""
    texts = [text.strip()[:200] for text in (*classifiers, *error_types)]
    for name, pattern in _KINDS:
        if any(pattern.fullmatch(text.lower()) for text in texts):
            return name
    above = culprit.above if culprit is not None else ()
    classes = [match[1] for text in texts if (match := _EXCEPTION.fullmatch(text))]
    for name in [*classes, *([exception] if exception else [])]:
        if name.lower() not in ("exception", "error", "unhandledexception") and len(name) <= _LONGEST_CLASS:
            return name
    if any(_OUT_OF_MEMORY.search(name) for name in above):
        return "Out of memory"
    return "Assertion" if any(_ASSERTION.search(name) for name in above) else "Crash"


def sentence(what: str, culprit: Culprit, application: str) -> str:
    """`Crash in Inventory::at (game)`, of at most about LONGEST characters. A name that is too long for that loses its scopes, and before
    them the application goes, which the issue names as well."""
    caller = f" ← {shorter(culprit.caller, _LONGEST_CALLER)}" if culprit.caller else ""
    where = f" ({application})" if application else ""
    room = LONGEST - len(what) - len(" in ") - len(caller)
    if len(culprit.name) + len(where) > room:
        where = ""
    return f"{what} in {shorter(culprit.name, room)}{caller}{where}"


def shorter(name: str, room: int) -> str:
    """The name in at most `room` characters: without its outer scopes first, and then without its end."""
    if len(name) > room and name.endswith("]") and "[" in name[:80]:
        return f"{name[: max(1, room - 2)]}…]"  # a selector of Objective-C: the class comes first
    while len(name) > room:
        scope = re.search(r"::|\.(?=\w|\()|/|\+", name[1:])
        if scope is None or len(name) - scope.end() - 1 < 4:
            break
        name = "…" + name[scope.end() + 1 :].lstrip("…")
    return name if len(name) <= room else name[: max(1, room - 1)] + "…"
