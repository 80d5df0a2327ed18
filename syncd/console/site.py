"""The console as an ASGI application: which page is where, which action changes what."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from syncd.config import Config
from syncd.console import actions, effective, pages, releases
from syncd.console.guard import Guard
from syncd.console.page import Asked, Desk, MakePage, NotThere, Page, as_html, as_json, json_path, link
from syncd.errors import StoreUnavailable
from syncd.operate import gauges
from syncd.operate.health import Health
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.store import Store

log = structlog.get_logger("syncd.console")

FORM_BYTES = 16 * 1024
SAID_KEPT = 200
LIVE_SECONDS = 10
STATIC = Path(__file__).parent / "static"

PAGES: dict[str, MakePage] = {
    "/": pages.home,
    "/groups": pages.groups,
    "/groups/{number:int}": pages.group,
    "/releases": releases.releases,
    "/deliveries": pages.deliveries,
    "/deliveries/{number:int}": pages.delivery,
    "/quarantine": pages.quarantine,
    "/dead": pages.dead,
    "/trackers": pages.trackers,
    "/configuration": effective.configuration,
}

# Where it is asked for, what it does, and which page shows what came of it.
ACTIONS: dict[str, tuple[actions.Act, str]] = {
    "/groups/{number:int}/sync": (actions.sync, "/groups/{number}"),
    "/groups/{number:int}/hold": (actions.hold, "/groups/{number}"),
    "/groups/{number:int}/end-hold": (actions.end_hold, "/groups/{number}"),
    "/groups/{number:int}/alias": (actions.alias, "/groups/{number}"),
    "/groups/{number:int}/end-alias": (actions.end_alias, "/groups/{number}"),
    "/groups/{number:int}/relink": (actions.relink, "/groups/{number}"),
    "/groups/{number:int}/retry": (actions.retry, "/groups/{number}"),
    "/groups/{number:int}/discard": (actions.discard, "/groups/{number}"),
    "/groups/{number:int}/replay": (actions.replay_group, "/groups/{number}"),
    "/dead/retry-all": (actions.retry_all, "/dead"),
    "/deliveries/{number:int}/replay": (actions.replay_delivery, "/deliveries/{number}"),
    "/quarantine/{number:int}/replay": (actions.release, "/quarantine"),
    "/quarantine/{number:int}/discard": (actions.drop, "/quarantine"),
    "/trackers/{name}/pause": (actions.pause_tracker, "/trackers"),
    "/trackers/{name}/resume": (actions.resume_tracker, "/trackers"),
    "/routes/{name}/pause": (actions.pause_route, "/trackers"),
    "/routes/{name}/resume": (actions.resume_route, "/trackers"),
}


def site(config: Config, store: Store) -> ASGIApp:
    """Every page behind its guard. Raises ConfigError when the password cannot be read."""
    desk, said = Desk(config, store), _Said()
    clock = Clock()
    health = Health(store, config.credentials, clock)
    told = metrics.Gauges(lambda: gauges.read(config, store, clock.wall()))

    def read_metrics(request: Request) -> Response:  # noqa: ARG001 - the shape Starlette asks for
        return Response(metrics.text(told), media_type=metrics.CONTENT_TYPE)

    routes = [
        Route("/livez", health.livez),
        Route("/readyz", health.readyz),
        Route("/metrics", read_metrics),
        Route("/console.css", _file("console.css", "text/css")),
        Route("/favicon.svg", _file("favicon.svg", "image/svg+xml")),
        Route("/find", _find(desk)),
    ]
    for path, make in PAGES.items():
        routes.append(Route(path, _shown(desk, make, said)))
        routes.append(Route(json_path(path), _for_programs(desk, make)))
    routes += [Route(path, _done(desk, act, shows, said), methods=["POST"]) for path, (act, shows) in ACTIONS.items()]
    app = Starlette(
        routes=routes,
        exception_handlers={
            NotThere: _failed(404, desk),
            StoreUnavailable: _failed(503, desk),
            HTTPException: _failed(None, desk),
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, config.console)


class _Said:
    """What became of what somebody just did, shown once on the page they are sent to. Only what we said ourselves: a text in an
    address could be anybody's."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()

    def keep(self, text: str) -> str:
        """The name under which it is fetched."""
        name = secrets.token_urlsafe(9)
        self._kept[name] = text
        while len(self._kept) > SAID_KEPT:
            self._kept.popitem(last=False)
        return name

    def fetch(self, name: str | None) -> str | None:
        """The text, the first time it is asked for."""
        return None if name is None else self._kept.pop(name, None)


def _asked(desk: Desk, request: Request) -> Asked:
    return Asked(desk, dict(request.path_params), dict(request.query_params))


def _shown(desk: Desk, make: MakePage, said: _Said) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        asked = _asked(desk, request)
        html = as_html(make(asked), request.url.path, asked.query, asked.now, said.fetch(asked.get("said")))
        # Asked for by whoever wants it: a page that changes under a reader is a nuisance.
        headers = {"refresh": str(LIVE_SECONDS)} if asked.get("live") else None
        return Response(html, media_type="text/html", headers=headers)

    return show


def _for_programs(desk: Desk, make: MakePage) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        return Response(as_json(make(_asked(desk, request))), media_type="application/json")

    return show


def _file(name: str, kind: str) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:  # noqa: ARG001
        return FileResponse(STATIC / name, media_type=kind, headers={"cache-control": "no-cache"})

    return show


def _find(desk: Desk) -> Callable[[Request], Response]:
    """The group itself where what was typed in names one, else a list."""

    def find(request: Request) -> Response:
        asked = _asked(desk, request)
        found = pages.find(asked)
        where = f"/groups/{found[0].id}" if len(found) == 1 else link("/groups", text=asked.get("text"))
        return RedirectResponse(where, 303)

    return find


def _done(desk: Desk, act: actions.Act, shows: str, said: _Said) -> Callable[[Request], object]:
    async def do(request: Request) -> Response:
        form = await _form(request)
        asked = _asked(desk, request)
        told = await run_in_threadpool(act, asked, form)
        log.info("operator_action", action=urlsplit(str(request.url)).path, said=told)
        where = form.get("back") or shows.format(**asked.path)
        # Only a path of ours: a form must not lead anywhere else.
        where = where if where.startswith("/") and not where.startswith("//") and "\\" not in where else "/"
        return RedirectResponse(link(where.partition("?")[0], said=said.keep(told)), 303)

    return do


async def _form(request: Request) -> dict[str, str]:
    """What was filled in. Raises HTTPException 413 for more than any form of ours has."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_BYTES:
            raise HTTPException(413, "That is more than any form here holds.")
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=50))


_WORDS = {404: "There is no such page.", 405: "That is not done here."}


def _failed(status: int | None, desk: Desk) -> Callable[[Request, Exception], Response]:
    """The page, or the JSON, of an error made on purpose."""

    def show(request: Request, error: Exception) -> Response:
        code = status if status is not None else getattr(error, "status_code", 500)
        words = str(error) if status is not None else _WORDS.get(code, str(getattr(error, "detail", "")))
        page = Page(
            "error.html", "Not there" if code == 404 else "Failed", {"error": {"status": code, "message": words}}
        )
        if request.url.path.endswith(".json"):
            return Response(as_json(page), code, media_type="application/json")
        asked = _asked(desk, request)
        return Response(as_html(page, request.url.path, {}, asked.now, None), code, media_type="text/html")

    return show
