"""The default `release_attributes` finds the release of every SDK that sends one. Source: the public code and manuals of the SDKs."""

import msgspec
import pytest

from syncd.config.sections import Notifications
from syncd.intake.sources import backtrace
from syncd.intake.sources.backtrace import Reading
from tests.factories import notification_json

NOW = 1_800_000_000.0

SDKS: dict[str, dict[str, object]] = {
    "Unity": {
        "application.version": "2.4.0",
        "guid": "1c5f",
        "uname.sysname": "Windows",
        "graphic.name": "GeForce",
        "scene.name": "Start",
    },
    "Android": {
        "version": "2.4.0",
        "application.version": "2.4.0",
        "device.sdk": 34,
        "device.brand": "Google",
        "uname.sysname": "Android",
    },
    "Cocoa": {
        "application.version": "2.4.0",
        "application.build": "1234",
        "device.osVersion": "17.1",
        "device.model": "iPhone15,2",
    },
    "JavaScript": {
        "application.version": "2.4.0",
        "browser.name": "Firefox",
        "browser.version": "121.0",
        "engine.version": "109.0",
    },
    "Node": {"application.version": "2.4.0", "process.versions.node": "20.11.0", "uname.version": "6.1"},
    "React Native": {"application.version": "2.4.0", "device.os_version": "14", "reactNative.version": "0.73"},
    "C#": {"application.version": "2.4.0", "version": "2.4.0", "lang.version": "8.0.0", "build.type": "Release"},
    "Electron": {"_version": "2.4.0", "ver": "28.1.0", "process_type": "renderer", "platform": "win32"},
    "Chromium": {"ver": "120.0.6099.109", "channel": "stable", "ptype": "browser"},
    "Crashpad": {"version": "2.4.0", "uname.sysname": "Windows", "uname.version": "10.0.19045"},
    "C++ by hand": {"application_version": "2.4.0", "email_address": "*", "uname.version": "10.0.19045"},
}
SILENT: dict[str, dict[str, object]] = {
    "Python": {"backtrace.version": "0.3.2", "lang.version": "3.12", "uname.version": "6.1", "process.id": 7},
    "Unreal": {"ExecutableName": "Game", "GameName": "UE-Game", "EngineVersion": "5.3.2-29314046+++UE5+Release-5.3"},
    "a version that is not set": {"application.version": "*", "version": ""},
}


def releases(attributes: dict[str, object]) -> tuple[tuple[str, int], ...]:
    """The releases that a daemon with the default configuration reads."""
    body = notification_json(occurrences=7, attributes={name: [[value, 7]] for name, value in attributes.items()})
    reading = Reading(release_attributes=Notifications().release_attributes)
    return tuple(backtrace.parse(msgspec.json.encode(body), NOW, reading).releases)


@pytest.mark.parametrize("sdk", SDKS)
def test_the_release_of_an_sdk_is_recognised_without_a_configuration(sdk: str) -> None:
    expected = "120.0.6099.109" if sdk == "Chromium" else "2.4.0"

    assert releases(SDKS[sdk]) == ((expected, 7),)


@pytest.mark.parametrize("sdk", SILENT)
def test_the_version_of_something_else_is_no_release(sdk: str) -> None:
    assert releases(SILENT[sdk]) == ()
