"""One action on several groups of the list. Each group has its own transaction and its own entry of the audit."""

import re
from collections.abc import Callable, Mapping

from syncd.console.page import PAGE, PageRequest
from syncd.core.quantities import counted
from syncd.operate import actions, explain, search
from syncd.render.text import one_line
from syncd.store.dead_letters import Kind
from syncd.store.hints import of_tracker
from syncd.store.listing import Listed


def bulk(request: PageRequest) -> str:
    """Hold, file or retry the chosen groups, or make them aliases."""
    numbers = _chosen(request.form)
    if not numbers:
        return "Nothing changed: choose groups first."
    name = request.form.get("do", "")
    if name not in _ACTIONS:
        return f"Nothing changed: choose one of {', '.join(_ACTIONS)}."
    try:
        act, done = _ACTIONS[name](request)
    except ValueError as error:
        return f"Nothing changed: {error}."
    count, refusals, trackers = 0, dict[str, int](), set[str]()
    for group in request.store.lists.of_numbers(sorted(numbers)):
        try:
            if group.standing.group.identity.number != numbers[group.id]:
                raise ValueError("the store has been restored, and it is another group; reload the list")
            tracker = act(group)
            count += 1
            trackers |= {tracker} if tracker else set()
        except ValueError as error:
            refusals[str(error)] = refusals.get(str(error), 0) + 1
    request.store.hints.send(*(of_tracker(tracker) for tracker in sorted(trackers)))
    parts = [f"{counted(count, 'group')} {'is' if count == 1 else 'are'} {done}"] if count else ["Nothing changed"]
    parts += [f"{number:,} not: {one_line(reason, 200)}" for reason, number in list(refusals.items())[:3]]
    more = sum(list(refusals.values())[3:])
    return f"{'; '.join([*parts, *([f'{more:,} more not'] if more else [])])}."


def choice_of(group: Listed) -> str:
    """The name by which a form chooses a group: its number in the store, and that of its identity, since another group has the former after a
    restore."""
    return f"{group.id}.{group.standing.group.identity.number}"


def _chosen(form: Mapping[str, str]) -> dict[int, int]:
    """The groups whose boxes are ticked, or all on the page: by the number in the store, the number of the identity. Each box has a name of its
    own: `group-7.123456`."""
    texts = (
        form["all"].split(",")
        if form.get("all")
        else [name.partition("-")[2] for name in form if name.startswith("group-")]
    )
    names = [match for text in texts if (match := _CHOICE.fullmatch(text))]
    return {int(match[1]): int(match[2]) for match in names[:PAGE]}


_CHOICE = re.compile(r"([0-9]{1,18})\.([0-9]{1,10})")


Act = Callable[[Listed], str | None]


def _hold(request: PageRequest) -> tuple[Act, str]:
    def act(group: Listed) -> None:
        actions.hold(request.store, group.id, request.reason, request.now)

    return act, "held"


def _file(request: PageRequest) -> tuple[Act, str]:
    routing = explain.rules(request.config)

    def act(group: Listed) -> str:
        return actions.file_now(request.store, routing, group.id, request.reason, request.now)

    return act, "filed next"


def _retry(request: PageRequest) -> tuple[Act, str]:
    letters = request.store.dead_letters

    def act(group: Listed) -> str:
        letter = letters.of(group.id)
        if letter is None or letter.kind is Kind.DROPPED or not letters.retry(letter, request.now):
            raise ValueError("it is not stuck")
        return letter.tracker

    return act, "tried again"


def _alias(request: PageRequest) -> tuple[Act, str]:
    text, routing = request.form.get("target", "").strip(), explain.rules(request.config)
    targets = search.matches(request.store, text) if text else []
    if len(targets) != 1:
        problem = f"{text!r} fits {counted(len(targets), 'group')}" if targets else search.absence(text)
        raise ValueError(problem if text else "name the group whose issue shows the occurrences")
    (target,) = targets

    def act(group: Listed) -> None:
        actions.add_alias(request.store, routing, group.id, target.id, request.reason, request.now)

    return act, f"shown on the issue of {one_line(target.standing.group.identity.fingerprint, 16)}"


_ACTIONS: Mapping[str, Callable[[PageRequest], tuple[Act, str]]] = {
    "hold": _hold,
    "file": _file,
    "retry": _retry,
    "alias": _alias,
}
