"""What a channel gets of what the worker does: which messages, how many, and each at most once."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from syncd.core.notices import LONGEST_REST_SECONDS, Event
from syncd.errors import Misconfigured, Refused, Unavailable
from syncd.notices.sender import TRY_SECONDS
from syncd.operate.status import status
from syncd.store import notices, open_store
from syncd.worker import storms
from tests.fakes.server import Fault
from tests.notices.conftest import Office
from tests.worker.test_keeping import closed, seen_again, work_off

DAY = 86400.0


def reported(office: Office, channel: str = "team") -> Counter[str]:
    """The channel's notices, by state."""
    counts = office.scene.store.read(partial(notices.counts, since=0.0)).get(channel)
    return Counter() if counts is None else Counter({"waiting": counts.waiting, **counts.ended})


def crash(office: Office, *fingerprints: str, users: int = 2) -> None:
    """Groups that are filed, each with users of its own."""
    for place, fingerprint in enumerate(fingerprints):
        office.scene.tell(fingerprint, callstack=[f"frame_{fingerprint}"], guids=users + place)
        work_off(office.scene)


def test_a_filed_crash_is_one_message_that_names_its_issue(office: Office) -> None:
    office.configure({"team": {}})
    crash(office, "f1")
    crash(office, "f1")

    assert office.deliver() == 1
    (body,) = office.chats.taken
    assert body["type"] == "syncd.filed"
    assert body["data"]["title"] == "New: Crash in frame_f1 (game)"
    assert body["data"]["issue"] == {"key": "K-1", "url": "https://example.com/1"}
    assert body["data"]["group"]["fingerprint"] == "f1"
    assert reported(office) == {"waiting": 0, "sent": 1}


def test_a_crash_that_came_back_is_one_message_that_names_the_release(office: Office) -> None:
    office.configure({"team": {"on": ["regression"]}})
    seen_again(office.scene, {"2.4.0": 3})
    work_off(office.scene)
    closed(office.scene)
    for count in (2, 5):
        seen_again(office.scene, {"2.4.0": 3, "2.5.0": count})
        work_off(office.scene)

    assert office.deliver() == 1
    (body,) = office.chats.taken
    assert body["type"] == "syncd.regression"
    assert body["data"]["title"].startswith("Came back: ")
    assert (body["data"]["release"], body["data"]["answer"]) == ("2.5.0", "reopen")


def test_an_issue_filed_after_another_one_is_not_called_new(office: Office) -> None:
    office.configure({"team": {}}, {"on_regression": "new_issue"})
    seen_again(office.scene, {"2.4.0": 3})
    work_off(office.scene)
    closed(office.scene)
    seen_again(office.scene, {"2.4.0": 3, "2.5.0": 2})
    work_off(office.scene)
    office.deliver()

    assert [title.partition(":")[0] for title in office.titles] == ["New", "Came back", "Filed again"]
    assert [body["data"]["issue"]["key"] for body in office.chats.taken] == ["K-1", "K-1", "K-2"]


def test_a_group_that_waits_for_a_person_is_one_message(office: Office) -> None:
    office.configure({"team": {"on": ["parked"]}})
    office.scene.rules.config.trackers["here"] = office.scene.rules.config.trackers["here"].model_copy(
        update={"probe_after": [20.0, 60.0, 180.0]}
    )
    office.scene.park()
    office.scene.tell("f1", occurrences=100)
    work_off(office.scene)

    assert office.deliver() == 1
    (body,) = office.chats.taken
    assert body["type"] == "syncd.parked"
    assert body["data"]["cause"] == "doubt"
    assert body["data"]["issue"] is None
    assert "do not prove that there is none" in body["data"]["reason"]


def test_a_refusal_for_good_is_one_message(office: Office) -> None:
    office.configure({"team": {"on": ["parked"]}})
    office.scene.tell("f1")
    office.scene.fail("create", Refused("the field summary is too long"))
    office.scene.sync()

    office.deliver()
    assert [body["data"]["cause"] for body in office.chats.taken] == ["refused"]


def test_a_storm_is_one_message_and_so_is_its_end(office: Office) -> None:
    office.configure({"team": {"on": ["storm"]}}, {"name": "main", "max_new_issues": ["2/1h"]})
    crash(office, *(f"f{number}" for number in range(5)))
    office.deliver()
    for _ in range(4):
        office.scene.clock.advance(4000)
        storms.drain(office.scene.store, office.scene.rules, office.scene.clock.wall())
        work_off(office.scene)
    office.deliver()

    assert office.titles == ["Crash storm: route main", "Crash storm is over: route main"]


def test_a_tracker_that_takes_no_calls_for_an_hour_is_one_message_and_so_is_its_end(office: Office) -> None:
    office.configure({"team": {"on": ["rest"]}})
    crash(office, "f1")
    office.scene.tell("f2", callstack=["other"])
    office.scene.fail("create", Misconfigured("it does not accept the token (401)", login=True))
    office.scene.sync()
    for _ in range(360):
        office.deliver()
        office.scene.clock.advance(1)
    assert office.titles == ["Tracker takes no calls: here"]

    office.scene.store.limits.resume_by_hand("here", "here", office.scene.clock.wall())
    office.deliver()
    office.deliver()
    assert office.titles[1:] == ["Tracker works again: here"]
    assert office.chats.taken[0]["data"]["reason"] == "it does not accept the token (401)"


def test_a_route_names_its_channels_and_a_channel_what_it_reports(office: Office) -> None:
    office.configure(
        {
            "team": {},
            "audio": {"default": False},
            "quiet": {"on": ["regression"]},
            "lead": {"kind": "slack", "default": False},
        },
        {"name": "sound", "match": {"application": "mixer"}, "channels": ["audio", "lead"]},
        {"name": "silent", "match": {"application": "tool"}, "channels": []},
        {"name": "rest"},
    )
    for application in ("mixer", "tool", "game"):
        office.scene.tell(application, application=application, callstack=[application])
    work_off(office.scene)
    office.deliver()

    names = {name: reported(office, name)["sent"] for name in office.senders}
    assert names == {"team": 1, "audio": 1, "quiet": 0, "lead": 1}
    assert sorted(body["data"]["route"] for body in office.chats.taken if "data" in body) == ["rest", "sound"]


def test_a_flood_makes_no_more_messages_than_the_limit_and_each_crash_is_in_one_of_them(office: Office) -> None:
    office.configure({"team": {"max": "4/1h"}}, {"max_new_issues": []})
    crash(office, *(f"f{number}" for number in range(30)))

    assert office.deliver() == 4
    assert office.titles[3] == "27 more notices: 27 new crashes"
    crash(office, *(f"g{number}" for number in range(5)))
    assert office.deliver() == 0
    office.scene.clock.advance(3600)
    assert office.deliver() == 4
    assert office.titles[-1] == "2 more notices: 2 new crashes"
    assert reported(office) == {"waiting": 0, "sent": 35}
    assert office.chats.taken[3]["data"]["counts"] == {"filed": 27}


def test_ten_thousand_notices_of_an_hour_are_twenty_messages(office: Office) -> None:
    office.configure({"team": {"max": "20/1h"}})
    crash(office, "f1")
    (listed,) = office.scene.store.lists.by_fingerprint("f1")
    now = office.scene.clock.wall()
    rows = [("team", str(Event.FILED), "group", listed.id, '{"key": "K-1"}', now)] * 9_999
    office.scene.store.write(lambda transaction: transaction.add("add_notices", rows))
    began = time.monotonic()
    assert office.deliver() == 20
    assert time.monotonic() - began < 30
    assert reported(office)["sent"] == 10_000
    assert office.titles[-1] == "9,981 more notices: 9,981 new crashes"


def test_notices_of_trackers_have_a_limit_of_their_own(office: Office) -> None:
    office.configure({"team": {"max": "1/1h"}})
    crash(office, "f1", "f2", "f3")
    office.deliver()
    office.scene.store.write(
        lambda transaction: notices.add(
            transaction, ["team"], Event.REST, None, {"tracker": "here", "since": 1.0, "at": 9.0}, 1.0
        )
    )
    office.scene.clock.advance(1)

    assert [title.partition(":")[0] for title in office.titles] == ["3 more notices"]
    assert office.senders["team"].step()
    assert [title.partition(":")[0] for title in office.titles][1:] == ["Tracker takes no calls"]


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_a_message_whose_answer_is_lost_is_not_sent_again_and_is_counted(office: Office, kind: str) -> None:
    office.configure({"team": {"kind": kind}})
    crash(office, "f1")
    office.chats.inject(Fault(how="reset_after"))
    office.deliver()
    crash(office, "f2")
    office.scene.clock.advance(2 * LONGEST_REST_SECONDS)
    office.deliver()

    assert len(office.chats.taken) == 2
    assert reported(office) == {"waiting": 0, "lost": 1, "sent": 1}
    (need,) = [
        need
        for need in status(office.scene.rules.config, office.scene.store, office.scene.clock.wall())["needs"]
        if need["state"] == "notices_lost"
    ]
    assert need["what"] == "channel team did not get 1 notice of the last day: 1 lost"


def test_a_webhook_gets_a_message_again_under_its_identifier_until_it_answers(office: Office) -> None:
    office.configure({"team": {}})
    crash(office, "f1")
    for how in ("reset_after", "reset_before", "half_after"):
        office.chats.inject(Fault(how=how))
    for _ in range(4):
        office.deliver()
        office.scene.clock.advance(LONGEST_REST_SECONDS)

    assert len(office.chats.taken) == 1
    assert len({request.headers["webhook-id"] for request in office.chats.requests}) == 1
    assert reported(office) == {"waiting": 0, "sent": 1}


def test_a_channel_that_fails_rests_longer_each_time_and_then_gets_all_that_waits(office: Office) -> None:
    office.configure({"team": {"kind": "slack"}})
    crash(office, "f1", "f2")
    office.chats.inject(Fault(how="status", status=503, times=3))
    tries: list[float] = []
    for _ in range(60):
        if office.deliver():
            tries.append(office.scene.clock.wall())

    assert len(office.chats.requests) == 5
    waits = [round(after - before) for before, after in pairwise(tries)]
    assert waits == [30, 60, 120]
    assert reported(office) == {"waiting": 0, "sent": 2}


def test_a_channel_that_fails_is_a_need_with_its_reason_until_it_takes_a_message(office: Office) -> None:
    office.configure({"team": {"kind": "slack"}})
    config, store, clock = office.scene.rules.config, office.scene.store, office.scene.clock
    crash(office, "f1")
    office.chats.inject(Fault(how="status", status=404, times=2, body=b"no_service"))
    office.deliver()
    assert status(config, store, clock.wall())["channels"]["team"]["state"] == "rests"
    assert "channel_rests" not in {need["state"] for need in status(config, store, clock.wall())["needs"]}
    clock.advance(100)
    office.deliver()

    (need,) = [need for need in status(config, store, clock.wall())["needs"] if need["state"] == "channel_rests"]
    assert "the address in channels.team.url (env URL_slack) may be revoked" in need["what"]
    assert need["what"].endswith("; 1 notice waits")
    clock.advance(1000)
    office.deliver()
    shape = status(config, store, clock.wall())
    assert (shape["channels"]["team"]["state"], shape["channels"]["team"]["sent"]) == ("ok", 1)
    assert not [need for need in shape["needs"] if need["state"] == "channel_rests"]


def test_a_secret_that_is_replaced_is_tried_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.configure({"team": {"kind": "slack"}})
    monkeypatch.setenv("URL_slack", office.chats.url + "/services/gone")
    crash(office, "f1")
    office.deliver()
    assert not office.chats.taken

    monkeypatch.setenv("URL_slack", office.chats.url + "/services/T0/B0/slacksecret")
    office.senders = office.opened()  # a process that begins
    office.deliver()
    assert len(office.chats.taken) == 1


def test_a_notice_that_waits_too_long_is_dropped_and_counted(office: Office) -> None:
    office.configure({"team": {"kind": "slack", "expire_after": "1h"}})
    crash(office, "f1")
    office.chats.inject(Fault(how="status", status=503, times=50))
    office.deliver()
    office.scene.clock.advance(3601)
    office.deliver()

    assert reported(office) == {"waiting": 0, "expired": 1}


def test_what_waits_for_a_channel_that_is_configured_no_more_expires(office: Office) -> None:
    office.configure({"team": {}, "gone": {}})
    crash(office, "f1")
    office.configure({"team": {}})
    office.deliver()

    assert reported(office, "gone") == {"waiting": 0, "expired": 1}
    assert reported(office, "team") == {"waiting": 0, "sent": 1}


@pytest.mark.parametrize("kind", ["slack", "webhook"])
def test_a_message_of_a_process_that_died_is_lost_or_sent_again_under_its_identifier(office: Office, kind: str) -> None:
    office.configure({"team": {"kind": kind}})
    crash(office, "f1")
    office.deliver()
    crash(office, "f2")
    claim = office.senders["team"]._claim(office.scene.clock.wall())  # the process dies here
    assert claim is not None
    office.senders = office.opened()
    office.deliver()
    assert reported(office) == {"waiting": 0, "sent": 1, "sending": 1}
    office.scene.clock.advance(TRY_SECONDS)
    office.deliver()

    expected = {"waiting": 0, "sent": 1, "lost": 1} if kind == "slack" else {"waiting": 0, "sent": 2}
    assert reported(office) == expected


def test_two_processes_send_each_notice_once(office: Office) -> None:
    office.configure({"team": {"kind": "slack", "max": "1000/1h"}}, {"max_new_issues": []})
    crash(office, *(f"f{number}" for number in range(25)))
    second_store = open_store(office.scene.settings)
    try:
        office.scene.clock.advance(10)
        pair = [office.senders["team"], office.opened()["team"]]
        pair[1]._store = second_store

        def run(number: int) -> None:
            while pair[number].step():
                pass

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        second_store.close()

    assert len(office.chats.taken) == 25
    assert len({body["text"] for body in office.chats.taken}) == 25


def test_a_detached_copy_of_a_store_sends_nothing(office: Office) -> None:
    office.configure({"team": {}})
    crash(office, "f1")
    office.scene.store.detach()

    assert office.deliver() == 0
    assert not office.chats.requests


def test_no_step_of_a_sync_calls_a_channel(office: Office) -> None:
    """A channel that hangs holds up no group: the worker writes rows, and the channel's own thread sends."""
    office.configure({"team": {"kind": "slack"}})
    crash(office, "f1", "f2")
    assert len(office.scene.tracker.issues) == 2
    assert not office.chats.requests


def test_a_failure_rolls_back_the_notice_with_its_event(office: Office) -> None:
    office.configure({"team": {}})
    office.scene.tell("f1")
    office.scene.fail("create", Unavailable("down"))
    office.scene.sync()

    assert reported(office) == Counter()


@pytest.mark.parametrize(
    ("zone", "at", "start"),
    [
        ("Europe/Paris", "08:30", datetime(2026, 10, 23, 5, tzinfo=UTC)),
        ("Europe/Paris", "02:30", datetime(2026, 10, 23, 5, tzinfo=UTC)),  # an hour that is there twice
        ("Europe/Paris", "02:30", datetime(2027, 3, 26, 5, tzinfo=UTC)),  # and one that is skipped
        ("America/New_York", "01:30", datetime(2026, 10, 30, 5, tzinfo=UTC)),
        ("Australia/Lord_Howe", "01:45", datetime(2026, 10, 2, 5, tzinfo=UTC)),  # clocks are set by half an hour
    ],
)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_each_morning_has_one_digest_and_each_crash_is_new_in_one_of_them_also_when_clocks_are_set(
    office: Office, zone: str, at: str, start: datetime
) -> None:
    clock = office.scene.clock
    clock.now = start.timestamp()
    office.configure({"team": {"on": [], "digest": f"{at} {zone}"}})
    for number in range(5 * 24):
        if number % 5 == 0:
            crash(office, f"f{number}")
        for _ in range(6):
            office.deliver()
            clock.advance(590)

    days = [body["timestamp"] for body in office.chats.taken]
    local = [datetime.fromisoformat(text).astimezone(ZoneInfo(zone)) for text in days]
    assert len({moment.date() for moment in local}) == len(local) >= 4
    hour, minute = map(int, at.split(":"))
    for moment in local:
        wanted = datetime(moment.year, moment.month, moment.day, hour, minute, tzinfo=ZoneInfo(zone))
        assert 0 <= moment.timestamp() - wanted.timestamp() <= 601
    spans = [(body["data"]["since"], body["data"]["until"]) for body in office.chats.taken]
    assert [since for since, _ in spans[1:]] == [until for _, until in spans[:-1]]
    new = [group["fingerprint"] for body in office.chats.taken for group in body["data"]["sections"]["new"]["groups"]]
    assert len(new) == len(set(new)) >= 16


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_clock_that_is_set_makes_no_second_digest_of_a_day(office: Office) -> None:
    clock = office.scene.clock
    clock.now = datetime(2026, 9, 21, 5, tzinfo=UTC).timestamp()
    office.configure({"team": {"on": [], "digest": "08:30 Europe/Paris"}})
    office.deliver()
    clock.advance(DAY + 2 * 3600)
    office.deliver()
    assert len(office.chats.taken) == 1
    clock.set_back(4 * 3600)
    for _ in range(30):
        office.deliver()
        clock.advance(600)
    assert len(office.chats.taken) == 1

    clock.advance(DAY)
    office.deliver()
    assert len(office.chats.taken) == 2


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_digest_says_what_a_lead_asks(office: Office) -> None:
    clock = office.scene.clock
    clock.now = datetime(2026, 9, 20, 5, tzinfo=UTC).timestamp()
    office.configure({"team": {"on": [], "digest": "08:30 Europe/Paris"}, "other": {"default": False}})
    seen_again(office.scene, {"2.4.0": 3})
    work_off(office.scene)
    closed(office.scene)
    office.deliver("team")
    clock.now = datetime(2026, 9, 21, 5, tzinfo=UTC).timestamp()
    seen_again(office.scene, {"2.4.0": 3, "2.5.0": 12})
    work_off(office.scene)
    crash(office, "f7", users=90)
    clock.now = datetime(2026, 9, 21, 6, 30, tzinfo=UTC).timestamp()
    office.deliver("team")

    (body,) = office.chats.taken
    assert body["data"]["title"].startswith("Monday, 21 September: 1 new, 1 came back")
    sections = {
        name: [group["fingerprint"] for group in section["groups"]]
        for name, section in body["data"]["sections"].items()
    }
    assert sections["new"] == ["f7"]
    assert sections["came_back"] == ["f1"]
    assert sections["worst"][0] == "f7"
    assert body["data"]["sections"]["came_back"]["groups"][0]["detail"].startswith("in 2.5.0 · ")
