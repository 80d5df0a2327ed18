"""A probe of a create: found by key while the search lags, proved absent, or left open."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from syncd.core.doubt import Evidence
from syncd.errors import Misconfigured, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.model import Release
from syncd.trackers import Draft
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault, Moment, Recorded
from tests.fakes.specs import check_traffic
from tests.trackers.clock import AdapterClock, fresh_for
from tests.trackers.jira.parts import TAG, Open, a_draft, a_group, doubtful

LAG = 1000.0


def keys(evidence: Evidence) -> list[str]:
    return [created.key for created in evidence.issues]


def lose(fake: FakeJira, adapter: Jira, draft: Draft | None = None) -> None:
    """Create an issue whose answer is lost."""
    fake.inject(Fault(how="reset_after", path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        adapter.create(draft or a_draft())


def test_the_newest_number_is_the_highest_that_the_index_knows(fake: FakeJira, opened: Open) -> None:
    adapter = opened()

    assert adapter.newest() == 0
    for _ in range(11):
        fake.file("somebody's own")
    assert adapter.newest() == 11
    fake.lag_seconds = LAG
    assert adapter.newest() == 0
    assert len(fake.requests) == 3
    check_traffic(fake)


def test_a_lost_create_is_found_by_its_label_too(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)

    evidence = adapter.probe(doubtful(floor=40))

    assert keys(evidence) == ["CRASH-1"], "whatever was believed about numbers, the marker is nobody else's"


def test_what_was_never_created_is_covered_and_not_found(fake: FakeJira, opened: Open) -> None:
    fake.file("somebody's own")
    adapter = opened()

    evidence = adapter.probe(doubtful(floor=1))

    assert evidence.issues == ()
    assert evidence.covered
    assert evidence.newest == 1
    assert evidence.at is not None
    assert abs(evidence.at - time.time()) < 5
    last = 100 if isinstance(fake, FakeJiraCloud) else 21
    assert evidence.summary == f"the label was searched for, and CRASH-1 to CRASH-{last} were read by key"
    check_traffic(fake)


def test_an_empty_project_is_covered_from_the_first_number_on(fake: FakeJira, opened: Open) -> None:
    evidence = opened().probe(doubtful(floor=0))

    assert (evidence.issues, evidence.covered, evidence.newest, evidence.newest_at) == ((), True, 0, None)


def test_a_clean_probe_takes_few_requests(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    adapter.probe(doubtful())

    # Who we are, by label, the newest, the permissions, the project, and by key.
    assert len(fake.requests) == 5 + (1 if isinstance(fake, FakeJiraCloud) else 20)


def test_numbers_that_refused_creates_used_up_do_not_end_the_walk(fake: FakeJira, opened: Open) -> None:
    fake.lag_seconds = LAG
    fake.burn(15)
    fake.file("somebody's own")
    fake.burn(15)
    adapter = opened()
    lose(fake, adapter)

    evidence = adapter.probe(doubtful())

    assert keys(evidence) == ["CRASH-32"]
    assert evidence.newest == 32


def test_the_index_leads_the_walk_over_a_wide_gap(fake: FakeJira, opened: Open) -> None:
    fake.burn(250)
    fake.file("an issue the index knows")
    fake.lag_seconds = LAG
    fake.issues["CRASH-251"].written -= LAG
    adapter = opened()
    lose(fake, adapter)

    evidence = adapter.probe(doubtful())

    assert keys(evidence) == ["CRASH-252"]
    assert evidence.covered


def test_other_peoples_issues_above_the_floor_are_not_ours(fake: FakeJira, opened: Open) -> None:
    fake.file("with another label", labels=["syncd-0123456789abcdef"])
    fake.file("without")
    adapter = opened()
    adapter.create(a_draft(marker="c0ffee" * 5 + "00"))
    fake.issues["CRASH-3"].fields["created"] = "2027-01-15T09:00:00.000+0100"

    evidence = adapter.probe(doubtful())

    assert evidence.issues == ()
    assert evidence.covered
    assert (evidence.newest, evidence.newest_at) == (3, 1_800_000_000.0)


def test_a_clone_that_a_rule_made_in_our_name_is_not_ours_where_the_property_tells(
    fake: FakeJira, opened: Open
) -> None:
    adapter = opened()
    lose(fake, adapter)
    fake.clone("CRASH-1", creator=fake.me)

    matches = keys(adapter.probe(doubtful()))

    assert matches == (["CRASH-1"] if isinstance(fake, FakeJiraCloud) else ["CRASH-1", "CRASH-2"])


def test_an_issue_that_lost_its_label_is_still_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)
    fake.issues["CRASH-1"].fields["labels"] = []

    assert keys(adapter.probe(doubtful())) == ["CRASH-1"]


def test_an_issue_that_kept_nothing_but_its_label_is_still_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)
    issue = fake.issues["CRASH-1"]
    issue.fields["description"] = None
    issue.properties.clear()

    assert keys(adapter.probe(doubtful())) == ["CRASH-1"]


def test_our_line_within_another_issue_of_ours_is_not_its_marker(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter, a_draft(marker="anothermarker"))
    fake.issues["CRASH-1"].fields["description"] = f"syncd issue · {TAG[6:]}\nmore"
    fake.issues["CRASH-1"].fields["labels"] = []

    assert adapter.probe(doubtful()).issues == ()


def test_two_issues_come_the_oldest_first(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    for _ in range(9):
        fake.file("somebody's own")
    lose(fake, adapter)
    lose(fake, adapter)
    fake.lag_seconds = LAG
    fake.issues["CRASH-11"].written -= LAG

    evidence = adapter.probe(doubtful())

    assert keys(evidence) == ["CRASH-10", "CRASH-11"], "though the search shows only the younger"


def test_an_issue_that_was_moved_since_is_found_by_its_old_key(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)
    fake.lag_seconds = LAG
    fake.move("CRASH-1", "TRIAGE")

    evidence = adapter.probe(doubtful())

    assert keys(evidence) == ["TRIAGE-1"]
    assert evidence.issues[0].url == f"{fake.url}/browse/TRIAGE-1"
    assert evidence.issues[0].number == 0, "a number of another project says nothing about ours"


def deleted(fake: FakeJira) -> None:
    fake.delete("CRASH-2")


def moved_out_of_sight(fake: FakeJira) -> None:
    fake.move("CRASH-2", "SECRET")
    fake.elsewhere["SECRET"] = set()


def hidden(fake: FakeJira) -> None:
    fake.hidden.add(fake.issues["CRASH-2"].id)


def rewritten(fake: FakeJira) -> None:
    fake.issues["CRASH-2"].properties.clear()
    fake.edit_issue("CRASH-2", labels=[], description=None)


def replaced_by_a_copy(fake: FakeJira) -> None:
    fake.clone("CRASH-2")
    fake.delete("CRASH-2")


@pytest.mark.parametrize("touch", [deleted, moved_out_of_sight, hidden, rewritten, replaced_by_a_copy])
@pytest.mark.parametrize("lag", [0.0, LAG])
def test_an_issue_that_people_touched_is_not_proved_absent(
    fake: FakeJira, opened: Open, touch: Callable[[FakeJira], None], lag: float
) -> None:
    adapter = opened()
    adapter.create(a_draft(marker="anothermarker"))
    lose(fake, adapter)
    touch(fake)
    fake.file("a later one")
    fake.lag_seconds = lag

    evidence = adapter.probe(doubtful(floor=1))

    assert (evidence.issues, evidence.covered) == ((), False)
    assert "; but CRASH-" in evidence.summary


def test_an_issue_moved_by_people_explains_the_number_that_it_had(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    fake.file("somebody's own")
    fake.move("CRASH-1", "TRIAGE")
    fake.file("a later one")

    evidence = adapter.probe(doubtful())

    assert (evidence.issues, evidence.covered) == ((), True)


@pytest.mark.parametrize("login_is_read", [True, False])
def test_an_issue_of_the_account_that_was_behind_the_token_before(
    fake: FakeJira, opened: Open, login_is_read: bool
) -> None:
    lose(fake, opened(), a_draft(marker="lostmarker"))
    if not login_is_read:  # an author that syncd never wrote with
        fake.issues["CRASH-1"].fields["creator"] = fake.user("somebody")
    fake.me = "bot"

    evidence = opened().probe(doubtful(0, "lostmarker"))

    assert keys(evidence) == (["CRASH-1"] if login_is_read else [])
    assert evidence.covered is login_is_read


def test_numbers_that_went_back_below_the_floor_are_read(fake: FakeJira, opened: Open) -> None:
    """A site that was restored from a backup gives numbers once more."""
    for _ in range(3):
        fake.file("somebody's own").written -= 2 * LAG
    adapter = opened()
    fake.lag_seconds = LAG
    lose(fake, adapter)

    assert keys(adapter.probe(doubtful(floor=21))) == ["CRASH-4"]


@pytest.mark.slow
def test_keys_beyond_the_bound_are_not_covered(fake: FakeJira, opened: Open) -> None:
    most = 5000 if isinstance(fake, FakeJiraCloud) else 500
    fake.burn(most)
    fake.file("far away")
    adapter = opened()

    evidence = adapter.probe(doubtful())

    assert not evidence.covered
    assert evidence.summary.endswith("more than that may have been given since")
    assert "may have been given since" not in adapter.probe(doubtful(floor=150)).summary


def test_a_walk_ends_in_time_and_is_not_covered_then(fake: FakeJira, opened: Open, clock: AdapterClock) -> None:
    adapter = opened()
    reads = 0

    def late(moment: Moment, request: Recorded) -> None:
        nonlocal reads
        reads += moment == "arrived"
        if reads == 4:
            clock.uptime += 91

    for _ in range(150):
        fake.file("somebody's own")
    fake.watch = late
    fake.lag_seconds = LAG

    evidence = adapter.probe(doubtful())

    assert not evidence.covered
    assert reads < 8


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("code", [400, 401, 403, 429, 500, 503])
def test_a_read_that_fails_is_never_an_absence(fake: FakeJira, opened: Open, number: int, code: int) -> None:
    adapter = opened()
    lose(fake, adapter)
    before = len(fake.requests)

    def fails(request: Recorded) -> Fault | None:
        return Fault(how="status", status=code) if len(fake.requests) > before + number else None

    fake.weather = fails
    with pytest.raises(TrackerError):
        adapter.probe(doubtful())

    fake.weather = None
    assert keys(adapter.probe(doubtful())) == ["CRASH-1"]


def test_a_silence_that_jira_asks_for_ends_the_probe(fake: FakeJira, opened: Open) -> None:
    fake.inject(Fault(how="status", method="GET", path="/search", status=429, headers={"Retry-After": "4000"}))
    with pytest.raises(Throttled) as caught:
        opened().probe(doubtful())

    assert caught.value.seconds == 4000


@pytest.mark.parametrize(
    "body", [{}, {"issues": None}, {"issues": [{"id": "1"}]}, {"issues": [{"key": "A-1"}]}, [], b"{"]
)
@pytest.mark.parametrize(
    ("fake", "path"),
    [
        (deployment, path)
        for deployment, read in (("cloud", "/issue/bulkfetch"), ("datacenter", "/issue/CRASH-1$"))
        for path in ("/search", "/myself", "/mypermissions", read)
    ],
    indirect=["fake"],
)
def test_an_answer_that_cannot_be_understood_is_never_an_absence(
    fake: FakeJira, opened: Open, path: str, body: object
) -> None:
    for method in ("GET", "POST"):
        fake.inject(Fault(how="status", method=method, path=path, status=200, body=body, times=9))
    with pytest.raises(Unavailable):
        opened().probe(doubtful())


def test_a_lost_permission_is_never_an_absence(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)
    fake.permissions.remove("BROWSE_PROJECTS")
    with pytest.raises(Misconfigured):
        adapter.probe(doubtful())


def test_a_permission_that_is_lost_during_the_walk_is_never_an_absence(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    adapter.probe(doubtful())
    fake.lag_seconds = LAG
    lose(fake, adapter)

    def taken_away(moment: Moment, request: Recorded) -> None:
        if request.path.endswith(("/issue/bulkfetch", "/issue/CRASH-1")):
            fake.permissions.discard("BROWSE_PROJECTS")

    fake.watch = taken_away
    with pytest.raises(Misconfigured, match=r"permission|project"):
        adapter.probe(doubtful())


def test_an_answer_without_jiras_clock_covers_nothing(
    fake: FakeJira, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", lambda *_: "soon")

    evidence = opened().probe(doubtful())

    assert (evidence.at, evidence.covered) == (None, False)
    assert evidence.summary.endswith("Jira did not say what time it was")


@pytest.mark.parametrize("fake", ["datacenter"], indirect=True)
def test_data_center_says_of_a_hidden_issue_that_it_is_there(fake: FakeJira, opened: Open) -> None:
    fake.hidden.add(fake.file("confidential").id)
    adapter = opened()
    fake.lag_seconds = LAG
    lose(fake, adapter)

    evidence = adapter.probe(doubtful())

    assert keys(evidence) == ["CRASH-2"], "and the walk goes on behind it"
    assert not evidence.covered
    assert "CRASH-1 may not be seen" in evidence.summary


@pytest.mark.parametrize("fake", ["cloud"], indirect=True)
def test_a_key_that_the_bulk_fetch_could_not_read_is_read_by_itself(fake: FakeJiraCloud, opened: Open) -> None:
    adapter = opened()
    fake.lag_seconds = LAG
    lose(fake, adapter)
    fake.unreadable = {"CRASH-1"}

    assert keys(adapter.probe(doubtful())) == ["CRASH-1"]
    check_traffic(fake)

    fake.inject(Fault(how="status", method="GET", path=r"/issue/\d+$", status=500, times=9))
    with pytest.raises(Unavailable):
        adapter.probe(doubtful())


@pytest.mark.parametrize("fake", ["cloud"], indirect=True)
def test_an_issue_that_the_bulk_fetch_names_and_nobody_shows_proves_nothing(fake: FakeJiraCloud, opened: Open) -> None:
    adapter = opened()
    lose(fake, adapter)
    fake.hidden.add(fake.issues["CRASH-1"].id)
    fake.unreadable = {"CRASH-1"}

    evidence = adapter.probe(doubtful())
    assert (evidence.issues, evidence.covered) == ((), False)
    assert "may not be seen by the account" in evidence.summary


@pytest.mark.parametrize("fake", ["datacenter"], indirect=True)
@pytest.mark.parametrize("body", [b"<html>Not Found</html>", None, b'{"errorMessages": ["Iss'])
def test_a_404_that_is_not_jiras_proves_nothing(fake: FakeJira, opened: Open, body: bytes | None) -> None:
    adapter = opened()
    fake.weather = lambda request: (
        Fault(how="status", method="GET", status=404, body=body) if "/issue/CRASH-1" in request.path else None
    )

    assert not adapter.probe(doubtful()).covered


def test_a_late_commit_is_found_by_the_next_probe(fake: FakeJira, opened: Open) -> None:
    adapter = opened(patience=0.2)
    late = fake.inject(Fault(how="hang_before", path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        adapter.create(a_draft())
    before = adapter.probe(doubtful())
    committed = threading.Event()
    fake.watch = lambda moment, request: committed.set() if moment == "carried_out" else None
    late.released.set()
    assert committed.wait(10)

    assert before.issues == ()
    assert keys(adapter.probe(doubtful())) == ["CRASH-1"]


def test_a_draft_that_grew_too_old_while_versions_were_read_is_not_sent(
    fake: FakeJira, opened: Open, clock: AdapterClock
) -> None:
    group = a_group(releases=(Release(release="1.0.0", occurrences=1),))
    fake.watch = clock.pass_during("/versions", 60.0)
    with pytest.raises(Unavailable, match="nothing was sent"):
        opened().create(replace(a_draft(group), require_fresh=fresh_for(clock, 30.0)))

    assert len(fake.sent("GET", "/versions$")) == 1
    assert fake.sent("POST") == []


def test_an_index_that_lags_behind_a_wide_gap_hides_no_number_above_the_floor(fake: FakeJira, opened: Open) -> None:
    fake.file("an issue the index knows").written -= 2 * LAG
    fake.burn(150)
    fake.lag_seconds = LAG
    adapter = opened()
    lose(fake, adapter)

    assert keys(adapter.probe(doubtful(floor=151))) == ["CRASH-152"]


def test_the_number_of_the_floor_may_be_ours_after_a_restore(fake: FakeJira, opened: Open) -> None:
    """A site that was restored from a backup may give it to the create itself, or to somebody after it."""
    for _ in range(4):
        fake.file("somebody's own")
    adapter = opened()

    evidence = adapter.probe(doubtful(floor=3))
    assert (evidence.covered, evidence.newest) == (True, 4)
    assert evidence.floor_at is not None
    assert abs(evidence.floor_at - time.time()) < 5

    del fake.issues["CRASH-3"]
    evidence = adapter.probe(doubtful(floor=3))
    assert (evidence.issues, evidence.covered, evidence.floor_at) == ((), False, None)
    assert adapter.probe(doubtful(floor=4)).covered


def test_a_sweep_reads_nothing_below_the_newest_issue_that_is_older_than_the_store(
    fake: FakeJira, opened: Open
) -> None:
    for _ in range(30):
        fake.file("somebody's own").fields["created"] = "2025-01-15T09:00:00.000+0000"
    adapter = opened()
    created = adapter.create(a_draft())
    before = len(fake.requests)

    swept = adapter.sweep(0, time.time() - 2 * 86400.0)
    assert [each.issue.key for each in swept.issues] == [created.key]
    keys = [
        key
        for request in fake.requests[before:]
        for key in re.findall(r"CRASH-(\d+)", f"{request.path} {request.body}")
    ]
    assert min(map(int, keys)) >= 30


@pytest.mark.parametrize("status", [500, 503])
def test_one_key_that_cannot_be_read_holds_up_no_sweep(fake: FakeJira, opened: Open, status: int) -> None:
    fake.file("somebody's own")
    fake.file("somebody's own")
    adapter = opened()
    created = adapter.create(a_draft())
    fake.inject(Fault(how="status", method="GET", path="/issue/CRASH-2$", status=status, times=99))

    swept = adapter.sweep(0, 0.0)
    assert [each.issue.key for each in swept.issues] == [created.key]
    assert (swept.upto, swept.newest) == (3, 3)
