"""What an issue says of a crash that came through the door: from the body of a notification to the text that a tracker gets."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.config.sections import ConsoleSettings
from syncd.core.redact import Redactor
from syncd.model import Group
from syncd.render import markdown
from syncd.render.addresses import group_page
from syncd.worker.presentation import Presentation
from tests.factories import make_group
from tests.scene import Scene
from tests.worker.test_keeping import comments, routed, work_off


def presented(scene: Scene, **settings: Any) -> None:
    scene.rules = replace(scene.rules, presentation=Presentation(redactor=Redactor(allowed=["*"]), **settings))


def text(scene: Scene) -> str:
    """The body of the only issue."""
    (draft,) = scene.tracker.issues
    return markdown.write(draft.body, 60_000)


def test_an_issue_names_the_values_of_attributes_with_their_counts(scene: Scene) -> None:
    presented(scene)
    scene.tell(attributes={"os": [["Linux", 70], ["Windows", 29]]})
    work_off(scene)

    assert "| `os` | `Linux (70), Windows (29)` |" in text(scene)


def test_an_issue_links_to_its_page_of_the_console(scene: Scene) -> None:
    presented(scene, console="https://syncd.example.com")
    scene.tell()
    work_off(scene)

    (listed,) = scene.store.lists.by_fingerprint("f1")
    page = group_page(listed.standing.group.identity)
    assert page == "/groups/acme/game/f1"
    assert f"[Open in syncd](https://syncd.example.com{page})" in text(scene)


@pytest.mark.parametrize(
    ("identity", "page"),
    [
        ({"universe": "alice@acme.example"}, "/groups/f1"),
        ({"project": "10.20.30.40"}, "/groups/f1"),
        ({"fingerprint": "alice@acme.example"}, None),
    ],
)
def test_an_address_of_the_console_has_no_private_data(
    scene: Scene, identity: dict[str, str], page: str | None
) -> None:
    presented(scene, console="https://syncd.example.com")
    scene.tell(**identity)
    work_off(scene)

    assert "alice" not in text(scene)
    assert "10.20.30.40" not in text(scene)
    assert ("https://syncd.example.com" in text(scene)) is (page is not None)
    assert page is None or f"(https://syncd.example.com{page})" in text(scene)


def test_without_a_public_address_an_issue_does_not_mention_the_console(scene: Scene) -> None:
    presented(scene)
    scene.tell()
    work_off(scene)

    assert "Open in syncd" not in text(scene)


def test_a_status_comment_begins_with_what_changed_and_stays_while_nothing_does(scene: Scene) -> None:
    routed(scene)
    scene.tell(occurrences=5)
    work_off(scene)
    scene.tell(occurrences=47, timestamp=[1000, 4000])
    work_off(scene)
    (before,) = comments(scene)
    edits = scene.tracker.calls.count("edit_comment")

    scene.wait()
    work_off(scene)

    assert before.splitlines()[0].startswith("**")
    assert " more** since " in before.splitlines()[0]
    assert comments(scene) == [before]
    assert scene.tracker.calls.count("edit_comment") == edits


@pytest.mark.parametrize("address", ["", "https://syncd.example.com", "https://syncd.example.com:8443/crashes/"])
def test_the_public_address_of_the_console_is_a_place_without_a_slash_at_its_end(address: str) -> None:
    assert ConsoleSettings(url=address).url == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://syncd.example.com",
        "syncd.example.com",
        "https://a@evil.example/",
        "https://x.example/?a=1",
        "https://x.example/)(",
        "https://x.example/|x]",
        "https://",
    ],
)
def test_an_address_that_no_issue_may_link_to_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="write it like"):
        ConsoleSettings(url=address)


def test_frames_are_judged_before_they_are_scrubbed_and_shown_after() -> None:
    group: Group = make_group(application="game", callstack=("abort", "Game::load(/home/alice/x)", "main"))

    body = markdown.write(Presentation().present(group, None).body(), 60_000)

    assert "alice" not in body
    assert "→ Game::load(/home/<user>/x)" in body
