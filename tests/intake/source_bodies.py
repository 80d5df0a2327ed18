"""Bodies as each kind of source documents them, with what is personal planted in the places where that kind may have it.

The shapes are those that the tables in syncd/config/kinds name; every value is made up.
"""

from collections.abc import Callable, Mapping
from typing import Any

from syncd.config import Config

PERSONAL = ("alice@example.com", "203.0.113.77", "sessionid=4711", "alice-of-wonderland")
FIRST, LATER = "2026-11-30T20:11:03Z", "2026-11-30T21:20:00Z"
USER = {"email": PERSONAL[0], "ip_address": PERSONAL[1], "id": 7, "username": PERSONAL[3]}
REQUEST = {"url": "https://shop.example.com/", "headers": [["Cookie", PERSONAL[2]]], "cookies": PERSONAL[2]}
Body = dict[str, Any]


def alertmanager(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """Firing `number` of an alert, as Alertmanager's version 4 has it."""
    status = "resolved" if resolved else "firing"
    alert = {
        "status": status,
        "labels": {"alertname": "HighErrorRate", "namespace": "shop", "severity": "critical", "email": PERSONAL[0]},
        "annotations": {"summary": "5 % of requests fail", "description": "since the deployment"},
        "startsAt": f"2026-11-30T20:{number % 60:02}:03.739266876Z",
        "endsAt": LATER if resolved else "0001-01-01T00:00:00Z",
        "generatorURL": "https://prometheus.example.com/graph?g0.expr=up",
        "fingerprint": crash,
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{crash}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "syncd",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"alertname": "HighErrorRate"},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
        "alerts": [alert],
    }


def grafana(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """The same of Grafana."""
    body = alertmanager(crash, number, resolved=resolved)
    more = {"version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "**Firing**"}
    body["alerts"][0] |= {"panelURL": "https://grafana.example.com/d/1?viewPanel=2", "values": {"B": 7.3}}
    return body | more


def sentry(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """An event alert, or with `resolved` the change of an issue."""
    installation, actor = {"uuid": "7a48"}, {"type": "user", "id": 1, "name": PERSONAL[3]}
    if resolved:
        return {
            "action": "resolved",
            "installation": installation,
            "data": {"issue": sentry_issue(crash, number) | {"status": "resolved"}},
            "actor": actor,
        }
    frames = [
        {"function": "checkout", "module": "shop.views", "filename": "shop/views.py", "lineno": 41, "vars": {"who": PERSONAL[3]}},
        {"function": "total", "module": "shop.cart", "filename": "shop/cart.py", "lineno": 12, "pre_context": [PERSONAL[0]]},
    ]  # fmt: skip
    event = {
        "event_id": f"{number:032x}",
        "issue_id": crash,
        "issue_url": f"https://sentry.io/api/0/organizations/acme/issues/{crash}/",
        "url": "https://sentry.io/api/0/projects/acme/shop/events/1/",
        "web_url": f"https://sentry.io/organizations/acme/issues/{crash}/events/1/",
        "project": 1,
        "title": "ZeroDivisionError: division by zero",
        "culprit": "shop.cart in total",
        "level": "error",
        "platform": "python",
        "release": "shop@2.4.0+77",
        "environment": "production",
        "datetime": f"2026-11-30T20:{number % 60:02}:55.000000Z",
        "metadata": {"type": "ZeroDivisionError", "value": "division by zero"},
        "user": USER,
        "request": REQUEST,
        "contexts": {"device": {"name": PERSONAL[3]}},
        "extra": {"mail": PERSONAL[0]},
        "breadcrumbs": {"values": [{"message": PERSONAL[0]}]},
        "tags": [["browser", "Chrome 75"], ["user", f"email:{PERSONAL[0]}"], ["user.ip_address", PERSONAL[1]]],
        "exception": {
            "values": [{"type": "KeyError"}, {"type": "ZeroDivisionError", "stacktrace": {"frames": frames}}]
        },
    }
    return {
        "action": "triggered",
        "installation": installation,
        "data": {"event": event, "triggered_rule": "new"},
        "actor": actor,
    }


def sentry_issue(crash: str, count: int) -> Body:
    """An issue as its webhooks have it; its count is text."""
    return {
        "id": crash,
        "shortId": "SHOP-1",
        "title": "ZeroDivisionError: division by zero",
        "culprit": "shop.cart in total",
        "level": "error",
        "platform": "python",
        "count": str(count),
        "userCount": 3,
        "firstSeen": "2026-11-30T20:01:55.000000Z",  # that of the first event above
        "lastSeen": LATER,
        "status": "unresolved",
        "substatus": "ongoing",
        "assignedTo": {"email": PERSONAL[0]},
        "project": {"id": "1", "slug": "shop", "name": "Shop"},
        "metadata": {"type": "ZeroDivisionError"},
        "web_url": f"https://sentry.io/organizations/acme/issues/{crash}/",
    }


def bugsink(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """An alert of Bugsink's custom webhook."""
    return {
        "id": crash,
        "alert_reason": "NEW" if number == 1 else "REGRESSED",
        "project": 3,
        "project_name": "shop",
        "title": "ZeroDivisionError: division by zero",
        "calculated_type": "ZeroDivisionError",
        "calculated_value": "division by zero",
        "transaction": "/cart",
        "digested_event_count": number,
        "first_seen": FIRST,
        "last_seen": LATER,
        "is_resolved": resolved,
        "is_muted": False,
        "events_at": ["shop@2.4.0+77"],
        "url": f"https://bugsink.example.com/issues/{crash}/",
        "user": USER,
    }


def honeybadger(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """An event of version 2."""
    return {
        "event": "resolved" if resolved else "occurred",
        "message": f"[shop/production] ZeroDivisionError by {PERSONAL[0]}" if resolved else "[shop/production]",
        "actor": {"email": PERSONAL[0]},
        "project": {"id": 1717, "name": "shop", "users": [{"email": PERSONAL[0]}], "owner": {"email": PERSONAL[0]}},
        "fault": {
            "id": crash,
            "project_id": 1717,
            "klass": "ZeroDivisionError",
            "component": "cart",
            "action": "total",
            "environment": "production",
            "resolved": resolved,
            "created_at": FIRST,
            "message": "divided by 0",
            "notices_count": number,
            "last_notice_at": LATER,
            "url": f"https://app.honeybadger.io/projects/1717/faults/{crash}",
            "assignee": PERSONAL[0],
        },
        "notice": {
            "backtrace": [{"method": "total", "number": "12", "file": "cart.rb"}, {"method": "checkout"}],
            "request": REQUEST,
            "web_environment": {"REMOTE_ADDR": PERSONAL[1]},
            "revision": "2.4.0",
        },
    } | ({"message": "resolved"} if resolved else {})


def rollbar(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """An event about an item."""
    return {
        "event_name": "resolved_item" if resolved else "exp_repeat_item",
        "data": {
            "item": {
                "id": crash,
                "counter": 7,
                "project_id": 90,
                "environment": "production",
                "title": "ZeroDivisionError: division by zero",
                "total_occurrences": number,
                "unique_occurrences": 2,
                "first_occurrence_timestamp": 1_796_069_463,
                "last_occurrence_timestamp": 1_796_073_600,
                "last_occurrence": {"person": USER, "version": "2.4.0"},
            },
            "occurrence": {"person": USER, "request": REQUEST, "client": {"ip": PERSONAL[1]}, "version": "2.4.0"},
            "url": "https://rollbar.com/item/1",
        },
    }


def bugsnag(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """An event of an error, or a change of its state."""
    trigger: Body = {"type": "exception", "message": "Every time an error occurs"}
    if resolved:
        trigger = {"type": "errorStateManualChange", "stateChange": "fixed"}
    return {
        "account": {"id": "a", "name": PERSONAL[3]},
        "project": {"id": "p", "name": "shop", "url": "https://app.bugsnag.com/acme/shop"},
        "trigger": trigger,
        "user": USER,
        "error": {
            "id": f"e{number}",
            "errorId": crash,
            "exceptionClass": "ZeroDivisionError",
            "message": "division by zero",
            "appVersion": "2.4.0",
            "releaseStage": "production",
            "receivedAt": f"2026-11-30T20:{number % 60:02}:55.000Z",
            "firstReceived": FIRST,
            "user": USER,
            "metaData": {"request": REQUEST, "account": {"mail": PERSONAL[0]}},
            "stackTrace": [{"method": "total", "file": "cart.rb", "lineNumber": 12}, {"method": "checkout"}],
            "url": f"https://app.bugsnag.com/acme/shop/errors/{crash}",
        },
    }


def raygun(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """A notification of an error, or a change of its status."""
    return {
        "event": "error_activity" if resolved else "error_notification",
        "eventType": "StatusChanged" if resolved else "NewErrorOccurred",
        "error": {
            "url": f"https://app.raygun.com/crashreporting/1/errors/{crash}",
            "message": "ZeroDivisionError: division by zero",
            "status": "Resolved" if resolved else "Active",
            "firstOccurredOn": FIRST,
            "lastOccurredOn": LATER,
            "usersAffected": 2,
            "totalOccurrences": number,
            "user": PERSONAL[3],
            "instance": {"affectedUser": {"Email": PERSONAL[0]}, "customData": {"mail": PERSONAL[0]}},
        },
        "application": {"name": "shop", "url": "https://app.raygun.com/"},
    }


def bugsplat(crash: str = "c1", number: int = 1) -> Body:
    """A new report. BugSplat says nothing of resolved groups."""
    return {
        "notificationType": "NewReport",
        "id": number,
        "stackKeyId": crash,
        "stackKeyName": "Cart::total(12)",
        "database": "acme",
        "application": "shop",
        "version": "2.4.0",
        "user": PERSONAL[3],
        "email": PERSONAL[0],
        "ipAddress": PERSONAL[1],
        "exceptionCode": "C0000005",
        "exceptionMessage": "access violation",
        "received": f"2026-11-30T20:{number % 60:02}:55Z",
        "callstack": [{"functionName": "Cart::total"}, {"functionName": "main"}],
        "debugOutput": PERSONAL[0],
    }


def glitchtip(crash: str = "c1", number: int = 1) -> Body:
    """An alert, shaped for Slack. It has no counts and no event: only another text tells two of one issue apart."""
    fields = [
        {"title": "Project", "value": "shop", "short": True},
        {"title": "Environment", "value": "production", "short": True},
        {"title": "Release", "value": "2.4.0", "short": False},
        {"title": "User", "value": PERSONAL[0], "short": True},
    ]
    attachment = {
        "title": "ZeroDivisionError: division by zero",
        "title_link": f"https://app.glitchtip.com/acme/issues/{crash}",
        "text": f"cart.total {number}",
        "fields": fields,
    }
    return {"alias": "GlitchTip", "text": "GlitchTip Alert", "attachments": [attachment], "sections": []}


def generic(crash: str = "c1", number: int = 1, *, resolved: bool = False) -> Body:
    """What the map of GENERIC reads."""
    return {
        "crash": {"key": crash, "app": "shop", "text": "division by zero", "seen": number, "done": resolved},
        "who": {"email": PERSONAL[0], "headers": {"Cookie": PERSONAL[2]}},
        "at": LATER,
    }


def backtrace(crash: str = "c1", number: int = 1) -> Body:
    """A notification of Backtrace with a total."""
    return {
        "universe": "acme",
        "project": "shop",
        "fingerprint": crash,
        "callstack": ["total", "checkout"],
        "occurrences": number,
        "object_id": f"{number:x}",
        "timestamp": [1_796_069_463, 1_796_069_463 + number],
    }


GENERIC: Mapping[str, Any] = {
    "fingerprint": "crash.key",
    "project": "crash.app",
    "title": "crash.text",
    "occurrences": "crash.seen",
    "last": "at",
    "state": "crash.done && 'resolved' || 'open'",
}
MAKERS: Mapping[str, Callable[..., Body]] = {
    "alertmanager": alertmanager,
    "bugsink": bugsink,
    "bugsnag": bugsnag,
    "bugsplat": bugsplat,
    "generic": generic,
    "glitchtip": glitchtip,
    "grafana": grafana,
    "honeybadger": honeybadger,
    "raygun": raygun,
    "rollbar": rollbar,
    "sentry": sentry,
}
RESOLVING = tuple(sorted(MAKERS.keys() - {"bugsplat", "glitchtip"}))
CUMULATIVE = ("bugsink", "generic", "honeybadger", "raygun", "rollbar")


def section(kind: str, **keys: object) -> dict[str, Any]:
    """`[sources.NAME]` of a kind."""
    more: dict[str, Any] = {"map": dict(GENERIC), "counts": "cumulative"} if kind == "generic" else {}
    return {"kind": kind, **more, **keys}


def config(*kinds: str, **sections: dict[str, Any]) -> Config:
    """A configuration with a source of each kind under its name, and with further sections."""
    return Config.model_validate({"sources": {**{kind: section(kind) for kind in kinds}, **sections}})
