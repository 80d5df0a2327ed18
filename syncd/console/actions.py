"""What can be changed from the console: each action does what the command of its name does, and says what came of it."""

from collections.abc import Callable, Mapping
from typing import cast

from syncd.console.page import Asked, NotThere
from syncd.core.quantities import counted
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.operate import explain
from syncd.operate import relink as relinking
from syncd.render.text import one_line, utc
from syncd.store.dead_letters import DeadLetter
from syncd.store.hints import INBOX, of_tracker

NO_REASON = "no reason given"

Form = Mapping[str, str]
Act = Callable[[Asked, Form], str]


def _number(asked: Asked) -> int:
    return cast(int, asked.path["number"])


def _reason(form: Form) -> str:
    return one_line(form.get("reason", ""), 500, NO_REASON)


def sync(asked: Asked, form: Form) -> str:  # noqa: ARG001 - all actions are asked alike
    """The group's issue is looked at and brought up to date at once."""
    store = asked.desk.store
    _require_group(asked, _number(asked))
    tracker = store.operator.sync(_number(asked), explain.rules(asked.desk.config).next_call, asked.now)
    if tracker is None:
        return "Nothing is to be done for this group now; below is why."
    store.hints.send(of_tracker(tracker))
    return f"It is due now, for {tracker}."


def _require_group(asked: Asked, number: int) -> None:
    if asked.desk.store.lists.group(number) is None:
        raise NotThere(f"there is no group number {number}")


def hold(asked: Asked, form: Form) -> str:
    """Nothing is filed for the group and nothing written."""
    _require_group(asked, _number(asked))
    asked.desk.store.operator.hold(_number(asked), _reason(form), asked.now)
    return "It is held: nothing is filed for it and nothing written. What is in hand is finished."


def end_hold(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """Its route decides again."""
    _require_group(asked, _number(asked))
    ended = asked.desk.store.operator.end_hold(_number(asked), explain.rules(asked.desk.config).next_call, asked.now)
    return "It is held no longer." if ended else "No operator held it."


def alias(asked: Asked, form: Form) -> str:
    """The group's occurrences are shown on the issue of another one."""
    store = asked.desk.store
    said = form.get("target", "").strip()
    found = store.lists.by_fingerprint(said, 3) if said else []
    whole = [one for one in found if one.standing.group.identity.fingerprint.lower() == said.lower()]
    if len(whole or found) != 1:
        return f"Nothing was changed: {counted(len(found), 'group')} have a fingerprint that begins with {said!r}."
    target = (whole or found)[0]
    try:
        given_up = store.aliases.add(_number(asked), target.id, _reason(form), asked.now)
    except ValueError as error:
        return f"Nothing was changed: {error}."
    shown = one_line(target.standing.group.identity.fingerprint, 16)
    left = f" Its own issue {given_up} is not written to any more; close it by hand as a duplicate." if given_up else ""
    return f"Its occurrences are shown on the issue of {shown} from now on.{left}"


def end_alias(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """The group stands for itself again."""
    removed = asked.desk.store.aliases.remove(_number(asked), explain.rules(asked.desk.config).next_call, asked.now)
    return "It stands for itself again." if removed else "It was no alias."


def relink(asked: Asked, form: Form) -> str:
    """Another issue stands for the group."""
    desk = asked.desk
    try:
        done = relinking.relink(
            desk.config, desk.store, _number(asked), form.get("tracker") or None, form.get("issue", ""), asked.now
        )
    except relinking.NotLinked as error:
        return f"Nothing was changed: {error}."
    left = f" {done.before} is not written to any more; close it by hand as a duplicate." if done.before else ""
    return f"{done.place.key} stands for it from now on.{left}"


def _letter(asked: Asked) -> DeadLetter:
    letter = asked.desk.store.dead_letters.of(_number(asked))
    if letter is None:
        raise NotThere("that group goes on by itself; there is nothing to retry or to discard")
    return letter


def retry(asked: Asked, form: Form) -> str:
    """A dead letter or a parked group is tried again."""
    absent = form.get("absent") == "yes"
    letter = _letter(asked)
    if absent and (letter.issue is not None or letter.kind.value == "dead"):
        return "Nothing was changed: there is no create in doubt; retry it without that."
    if not asked.desk.store.dead_letters.retry(letter, asked.now, absent=absent):
        return "It went on by itself meanwhile; nothing was done."
    asked.desk.store.hints.send(of_tracker(letter.tracker))
    return "It is created anew." if absent else "It is tried again."


def discard(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """It is left alone, and no longer listed as needing anybody."""
    done = asked.desk.store.dead_letters.discard(_letter(asked), asked.now)
    return "It is left alone." if done else "It went on by itself meanwhile, or is left alone already."


def retry_all(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """All that need a person are tried again."""
    store = asked.desk.store
    needy = [one for one in store.dead_letters.all() if one.kind.value != "dropped"]
    done = sum(store.dead_letters.retry(one, asked.now) for one in needy)
    store.hints.send(*(of_tracker(one.tracker) for one in needy))
    return f"{counted(done, 'group')} {'is' if done == 1 else 'are'} tried again."


def replay_delivery(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """A delivery is read once more by this version."""
    return _replayed(asked, asked.desk.store.dead_letters.replay([_number(asked)], asked.now))


def replay_group(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """Every delivery of a group that is kept is read once more."""
    letters, after, count = asked.desk.store.dead_letters, 0, 0
    while bite := letters.replayable(after, 0.0, _number(asked)):
        count += letters.replay([one.id for one in bite], asked.now)
        after = bite[-1].id
    return _replayed(asked, count)


def _replayed(asked: Asked, count: int) -> str:
    asked.desk.store.hints.send(INBOX)
    if not count:
        return "Nothing is kept that could be read once more."
    words = "1 delivery is" if count == 1 else f"{count:,} deliveries are"
    return f"{words} read once more; what says the same changes nothing."


def release(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """A quarantined body goes back into the inbox, if this version can read it."""
    store, number = asked.desk.store, _number(asked)
    kept = next((one for one in store.report.quarantine() if one.id == number), None)
    if kept is None:
        return "It is no longer in the quarantine."
    try:
        backtrace.identify(backtrace.decode(kept.body))
    except RejectedDelivery as error:
        return f"It is still no notification: {error.message}"
    store.quarantine.release(number, asked.now)
    store.hints.send(INBOX)
    return "It went back into the inbox."


def drop(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """A quarantined body is removed for good."""
    return "It is removed." if asked.desk.store.quarantine.discard(_number(asked)) else "It was gone already."


def pause_tracker(asked: Asked, form: Form) -> str:
    """Nothing more is sent to a tracker."""
    name = _configured(asked, "tracker", asked.desk.config.trackers)
    asked.desk.store.limits.pause_by_hand(name, f"{_reason(form)} (since {utc(asked.now)})")
    return f"{name} is paused: nothing more is sent to it; notifications are counted, and wait."


def resume_tracker(asked: Asked, form: Form) -> str:
    """Forget an operator's pause, and what a tracker rests for; a silence that it asked for only where that is said too."""
    config, store = asked.desk.config, asked.desk.store
    known = {*config.trackers, *store.report.trackers({}, asked.now), *store.report.left_behind(config.trackers)}
    name = _configured(asked, "tracker", known)
    forced = form.get("force") == "yes"
    credential = config.credentials.get(name, "") if forced else ""
    resumed = store.limits.resume_by_hand(name, credential)
    store.hints.send(of_tracker(name))
    return f"{name} is called again." if resumed else f"{name} was not paused; a silence it asked for ends by itself."


def pause_route(asked: Asked, form: Form) -> str:
    """Nothing is filed or written by a route."""
    name = _configured(asked, "route", [one.name for one in asked.desk.config.all_routes])
    asked.desk.store.routes.pause(name, _reason(form), asked.now)
    return f"Route {name} is paused: its groups are counted, and wait."


def resume_route(asked: Asked, form: Form) -> str:  # noqa: ARG001
    """What it held is judged again."""
    store = asked.desk.store
    known = {*(one.name for one in asked.desk.config.all_routes), *(one.route for one in store.routes.pauses())}
    name = _configured(asked, "route", known)
    resumed = store.routes.resume(name, explain.rules(asked.desk.config).next_call, asked.now)
    return f"Route {name} is resumed." if resumed else f"Route {name} was not paused."


def _configured(asked: Asked, kind: str, known: "set[str] | list[str] | Mapping[str, object]") -> str:
    name = str(asked.path["name"])
    if name not in known:
        raise NotThere(f"there is no {kind} {name!r}")
    return name
