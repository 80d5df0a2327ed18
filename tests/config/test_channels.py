"""`[channels.NAME]`: each fault names its key, the value and a remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config.channels import schedule
from syncd.core.notices import Event
from tests.config.conftest import LOCAL, Faults, Load
from tests.golden import golden

SLACK = '[channels.team]\nkind = "slack"\nurl = { env = "SLACK" }\n'
MAIL = '[channels.mail]\nkind = "mail"\nhost = "smtp.example.com"\nsender = "syncd@example.com"\nto = ["lead@example.com"]\n'
FAULTS = {
    "no kind": '[channels.team]\nurl = { env = "SLACK" }\n',
    "an unknown kind": '[channels.team]\nkind = "discord"\nurl = { env = "SLACK" }\n',
    "no address": '[channels.team]\nkind = "slack"\n',
    "an address in the file": '[channels.team]\nkind = "slack"\nurl = "https://hooks.slack.com/services/T0/B0/hush"\n',
    "a webhook without a secret": '[channels.hook]\nkind = "webhook"\nurl = { env = "HOOK" }\n',
    "an unknown event": SLACK + 'on = ["filled"]\n',
    "an unknown key": SLACK + 'digets = "08:30 Europe/Paris"\n',
    "a digest without a zone": SLACK + 'digest = "08:30"\n',
    "a digest at no hour": SLACK + 'digest = "24:30 Europe/Paris"\n',
    "a digest in no zone": SLACK + 'digest = "08:30 Europe/Pariss"\n',
    "a digest in a country": SLACK + 'digest = "08:30 Atlantis"\n',
    "a limit that is none": SLACK + 'max = "20"\n',
    "a limit of nothing": SLACK + 'max = "0/1h"\n',
    "an expiry that is too long": SLACK + 'expire_after = "30d"\n',
    "a name that is none": '[channels."my team"]\nkind = "slack"\nurl = { env = "SLACK" }\n',
    "a mail to a name": MAIL.replace('"lead@example.com"', '"Lead <lead@example.com>"'),
    "a mail to nobody": MAIL.replace('"lead@example.com"', ""),
    "a mail with a line break": MAIL.replace("syncd@example.com", "syncd@example.com\\nBcc: x@y.example"),
    "a mail in the clear": MAIL + 'security = "none"\n',
    "half a login": MAIL + 'username = "syncd"\n',
    "another half of a login": MAIL + 'password = { env = "PASSWORD" }\n',
    "a route to an unknown channel": SLACK + '[[routes]]\ntracker = "files"\nchannels = ["taem"]\n',
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_channel_that_cannot_work_is_refused_with_its_key(name: str, faults: Faults) -> None:
    problems = faults(LOCAL + FAULTS[name])

    assert all(problem.startswith(("channels.", "routes[0].channels")) for problem in problems)
    assert "hush" not in "".join(problems)
    golden("config", f"channels: {name}", "\n".join(problems))


def test_channels_take_what_their_routes_say(load: Load) -> None:
    loaded = load(
        LOCAL
        + SLACK
        + MAIL
        + "default = false\n"
        + '[[routes]]\nname = "a"\nmatch = { project = "a" }\ntracker = "files"\n'
        + '[[routes]]\nname = "b"\nmatch = { project = "b" }\ntracker = "files"\nchannels = ["mail"]\n'
        + '[[routes]]\nname = "c"\ntracker = "files"\nchannels = []\n'
    )

    assert loaded.listeners == {"a": ["team"], "b": ["mail"], "c": []}
    assert loaded.listening(Event.FILED, "b") == ["mail"]
    assert loaded.listening(Event.FILED, None) == []


def test_a_channel_without_keys_reports_everything_and_has_no_digest(load: Load) -> None:
    channel = load(LOCAL + SLACK).channels["team"]

    assert channel.schedule is None
    assert (channel.max.count, channel.max.seconds) == (20, 3600.0)
    assert set(channel.on) == {event.value for event in Event} - {"digest"}


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{2}:[0-9]{2} [A-Za-z/_.]{0,30}", fullmatch=True))
def test_any_text_is_a_schedule_or_is_refused(text: str) -> None:
    try:
        made, reason = schedule(text), ""
    except ValueError as error:
        made, reason = None, str(error)
    if made is None:
        assert "write" in reason or "did you mean" in reason
    else:
        assert f"{made.at:%H:%M}" == text[:5]
