"""The default configuration fits what Backtrace's SDKs send: a table with a crash of each. Sources: the SDKs' public code and manuals.

`may` are the attributes that developers ask for and an issue shows; everything else that the SDK sends stays in the store: some of it
points to a person or a device (`never`, whatever is allowed), the rest is nobody's question.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from syncd.config.routes import Match, Route
from syncd.config.sections import Notifications, Privacy
from syncd.core import fold, policy
from syncd.core.redact import Redactor, private
from syncd.core.releases import Order, compare
from syncd.intake.sources import backtrace
from syncd.intake.sources.values import Reading
from syncd.model import Group
from tests.factories import notification_json

NOW = 1_800_000_000.0


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """A crash as one SDK reports it. `older` is a release before, in the spelling of the same SDK."""

    release: str | None
    older: str | None = None
    error_type: str | None = None
    may: dict[str, object]
    never: dict[str, object]
    rest: dict[str, object]


SDKS = {
    "Unity": Sdk(
        release="2.4.0",
        older="2.3.12",
        error_type="Exception",
        may={
            "application.version": "2.4.0",
            "application.unity.version": "2022.3.10f1",
            "backtrace.agent": "backtrace-unity",
            "device.model": "System Product Name",
            "error.type": "Exception",
            "graphic.driver.version": "Direct3D 11.0 [level 11.1]",
            "graphic.name": "NVIDIA GeForce RTX 3060",
            "scene.name": "Start",
            "scripting.backend": "IL2CPP",
            "uname.machine": "amd64",
            "uname.sysname": "Windows",
            "uname.version": "10.0.19045.0",
        },
        never={
            "application.data_path": "C:/Users/jane/Game/Game_Data",
            "application.session": "5f1e",
            "application.temporary_cache": "C:/Users/jane/AppData/Local/Temp",
            "application.url": "https://play.acme.example/u/jane",
            "device.machine": "JANE-PC",
            "device.name": "JANE-PC",
            "guid": "1c5f",
            "hostname": "JANE-PC",
        },
        rest={"audio.supported": "True", "cpu.count": "16", "graphic.topUv": "True", "vm.rss.size": 34225520640},
    ),
    "Android": Sdk(
        release="2.4.0-beta.2",
        older="2.4.0-beta.1",
        error_type="Hang",
        may={
            "application.version": "2.4.0-beta.2",
            "version": "2.4.0-beta.2",
            "device.brand": "google",
            "device.manufacturer": "Google",
            "device.model": "Pixel 8",
            "device.os_version": "14",
            "device.sdk": 34,
            "error.type": "Hang",
            "uname.machine": "aarch64",
            "uname.sysname": "Android",
            "uname.version": "14",
        },
        never={
            "application.session": "5f1e",
            "device.gps.enabled": "ENABLED",
            "device.location": "ENABLED",
            "guid": "1c5f",
        },
        rest={
            "app.storage_used": "1048576",
            "battery.level": "0.8",
            "culture": "de",
            "screen.orientation": "PORTRAIT",
        },
    ),
    "Cocoa": Sdk(
        release="5.1",
        older="5.0.2",
        error_type="Crash",
        may={
            "application.build": "1234",
            "application.version": "5.1",
            "backtrace.agent": "backtrace-cocoa",
            "cpu.arch": "arm64",
            "device.model": "iPhone15,2",
            "device.osName": "iOS",
            "device.osVersion": "17.1",
            "error.type": "Crash",
            "uname.machine": "iPhone15,2",
            "uname.sysname": "iOS",
        },
        never={"application.session": "5f1e", "guid": "1C5F", "hostname": "Janes-iPhone", "cpu.user": 7},
        rest={"battery.state": "Charging", "cpu.idle": 7, "device.region": "Germany", "lang.version": "2.0.8"},
    ),
    "JavaScript": Sdk(
        release="2.4.0",
        older="2.4.0-rc.1",
        error_type="Unhandled exception",
        may={
            "application.version": "2.4.0",
            "backtrace.agent": "@backtrace/browser",
            "browser.name": "Firefox",
            "browser.version": "121.0",
            "device.model": "iPad",
            "device.type": "tablet",
            "device.vendor": "Apple",
            "error.type": "Unhandled exception",
            "uname.sysname": "iOS",
            "uname.version": "17.1",
        },
        never={
            "application.session": "5f1e",
            "document.baseURI": "https://acme.example/u/jane/",
            "document.referrer": "https://acme.example/u/jane/",
            "document.title": "Jane's files",
            "guid": "1c5f",
            "location.href": "https://acme.example/u/jane/files",
            "user.agent.full": "Mozilla/5.0",
        },
        rest={"engine.name": "Gecko", "engine.version": "109.0", "mobile": "true", "window.innerWidth": 1024},
    ),
    "Node": Sdk(
        release="2.4.0",
        older="2.3.9",
        error_type="Exception",
        may={
            "application.version": "2.4.0",
            "cpu.arch": "x64",
            "error.type": "Exception",
            "uname.sysname": "Linux",
            "uname.version": "6.1.0-13-amd64",
        },
        never={
            "application.session": "5f1e",
            "guid": "1c5f",
            "hostname": "build-7",
            "process.cwd": "/home/jane/app",
            "process.id": 7,
        },
        rest={"Environment Variables": "HOME=/home/jane", "cpu.boottime": 7, "process.thread.count": "1"},
    ),
    "React Native": Sdk(
        release="2.4.0",
        older="2.3.0",
        error_type="Unhandled exception",
        may={
            "application.version": "2.4.0",
            "device.os_version": "14",
            "device.model": "Pixel 8",
            "error.type": "Unhandled exception",
        },
        never={"application.session": "5f1e", "device.name": "Jane's Pixel", "guid": "1c5f"},
        rest={"hermes.version": "0.12.0", "reactNative.version": "0.73.2"},
    ),
    "Electron SDK": Sdk(
        release="2.4.0",
        older="2.3.0",
        error_type="Crash",
        may={"application.version": "2.4.0", "electron.process": "main", "error.type": "Crash"},
        never={"application.session": "5f1e", "guid": "1c5f", "hostname": "JANE-PC"},
        rest={"electron.appMetrics": "[]", "system.languages": "de"},
    ),
    "Electron crashReporter": Sdk(
        release="2.4.0",
        older="2.3.0",
        may={"_version": "2.4.0", "ver": "28.1.0", "platform": "win32", "process_type": "renderer"},
        never={"guid": "1c5f"},
        rest={"_productName": "Game", "prod": "Electron"},
    ),
    "Chromium": Sdk(
        release="120.0.6099.109",
        older="119.0.6045.199",
        may={"channel": "stable", "platform": "Win64", "ptype": "browser", "ver": "120.0.6099.109"},
        never={"client_id": "1c5f", "url-chunk": "https://acme.example/u/jane"},
        rest={"num-extensions": "3", "plat": "Win64"},
    ),
    "C#": Sdk(
        release="2.4.0.1234",
        older="2.4.0.1233",
        error_type="Unhandled exception",
        may={
            "application.version": "2.4.0.1234",
            "build.type": "Release",
            "error.type": "Unhandled exception",
            "uname.machine": "x64",
            "uname.sysname": "Windows",
            "uname.version": "10.0.19045",
            "version": "2.4.0.1234",
        },
        never={
            "application.session": "5f1e",
            "guid": "1c5f",
            "hostname": "JANE-PC",
            "location": "C:\\Users\\jane\\Game\\Game.dll",
        },
        rest={"culture": "de", "error.message": "jane@acme.example is no key", "process.age": "7"},
    ),
    "Python": Sdk(
        release=None,
        error_type="Exception",
        may={"error.type": "Exception", "uname.sysname": "Linux", "uname.version": "6.1"},
        never={"application.session": "5f1e", "guid": "1c5f", "hostname": "build-7", "process.id": 7},
        rest={"backtrace.version": "0.3.2", "lang.version": "3.12.1", "uname.release": "6.1.0-13-amd64"},
    ),
    "Crashpad": Sdk(
        release="2.4.0",
        older="2.3.9",
        may={"version": "2.4.0", "uname.sysname": "Windows", "uname.version": "10.0.19045"},
        never={"guid": "1c5f"},
        rest={"fault.address": "0x18"},
    ),
    "C++ by hand": Sdk(
        release="2.4.0",
        older="2.3.9",
        may={"application_version": "2.4.0", "environment": "production", "uname.version": "10.0.19045"},
        never={"description": "my name is Jane Doe", "email_address": "jane@acme.example"},
        rest={"quality": "high"},
    ),
    "Unreal": Sdk(
        release=None,
        may={
            "EngineVersion": "5.3.2-29314046+++UE5+Release-5.3",
            "uname.machine": "amd64",
            "uname.sysname": "Windows",
            "uname.version": "10.0.19045",
        },
        never={
            "CommandLine": "-user jane",
            "DescriptionCrashGuid": "1c5f",
            "EpicAccountId": "1c5f",
            "LoginId": "1c5f",
            "MachineId": "1c5f",
            "UserActivityHint": "Layout=jane",
            "UserDescription": "my name is Jane Doe",
            "guid": "1c5f",
            "hostname": "JANE-PC",
        },
        rest={"ExecutableName": "Game", "GameName": "UE-Game", "SecondsSinceStart": 7},
    ),
    "a version that is not set": Sdk(release=None, may={}, never={}, rest={"application.version": "*", "version": ""}),
}


@pytest.fixture(params=SDKS, name="sdk")
def sdk_of_the_table(request: pytest.FixtureRequest) -> Sdk:
    return SDKS[request.param]


def group_of(sdk: Sdk) -> Group:
    """The group that a daemon with the default configuration makes of one notification."""
    attributes = {name: [[value, 7]] for name, value in (sdk.may | sdk.never | sdk.rest).items()}
    settings = Notifications()
    reading = Reading(release_attributes=settings.release_attributes)
    body = msgspec.json.encode(notification_json(occurrences=7, attributes=attributes))
    return fold.fold(None, backtrace.parse(body, NOW, reading), settings.occurrence_mode)


def test_the_release_is_recognised_and_comes_after_the_one_before(sdk: Sdk) -> None:
    releases = [(row.release, row.occurrences) for row in group_of(sdk).releases]

    assert releases == ([] if sdk.release is None else [(sdk.release, 7)])
    if sdk.release is not None and sdk.older is not None:
        assert compare(sdk.release, sdk.older) is Order.NEWER


def test_an_issue_shows_what_developers_ask_for_and_nothing_else(sdk: Sdk) -> None:
    public = Redactor(allowed=Privacy().attributes).group(group_of(sdk)).attributes

    assert dict(public) == {name: (str(value),) for name, value in sdk.may.items()}


def test_what_points_to_a_person_or_a_device_never_leaves_whatever_is_allowed(sdk: Sdk) -> None:
    public = Redactor(allowed=["*"]).group(group_of(sdk)).attributes

    assert not {name for name, _ in public} & set(sdk.never)


def test_the_error_type_is_a_condition_in_upper_or_lower_case(sdk: Sdk) -> None:
    group = group_of(sdk)

    def matches(**match: Any) -> bool:
        return policy.hindrance(group, Route(tracker="x", match=Match(**match)).policy("main").match) is None

    if sdk.error_type is None:
        assert not matches(error_type="*")
    else:
        assert matches(error_type=sdk.error_type.lower())
        assert not matches(**{"not": {"error_type": sdk.error_type.upper()}})
        assert not matches(error_type=f"no {sdk.error_type}")


def test_no_attribute_is_allowed_that_never_leaves() -> None:
    assert [name for name in Privacy().attributes if private(name)] == []
