"""The console as an ASGI application, and the thread that serves it: paths, pages, actions, errors."""

import secrets
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlencode

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from syncd.config import Config
from syncd.console import actions, bulk, exports, groups, lists, pages, releases, today
from syncd.console.actions import Action
from syncd.console.exports import Download
from syncd.console.guard import Guard
from syncd.console.page import PAGE, Elsewhere, NotFound, Page, PageRequest, View, as_html, as_json, json_path, link
from syncd.console.visitor import NOBODY, VISITOR, Visitor
from syncd.errors import ConfigError, StoreUnavailable
from syncd.operate import gauges, search
from syncd.operate.health import Health
from syncd.platform import http_server, metrics
from syncd.platform.clock import Clock
from syncd.render.addresses import group_page, segment
from syncd.render.text import logged
from syncd.store import Store

log = structlog.get_logger("syncd.console")

FORM_BYTES = 16 * 1024
FIELDS = PAGE + 20  # of a form, which may have a box for each row of a list
FLASHES = 200
LIVE_SECONDS = 10
HEADER_SECONDS = 10.0
MAX_CONNECTIONS = 100
STATIC = Path(__file__).parent / "static"

GROUP = "/groups/{universe:segment}/{project:segment}/{fingerprint:segment}"
_GROUP = GROUP.replace(":segment", "")

PAGES: dict[str, View] = {
    "/": today.home,
    "/overview": pages.overview,
    "/groups": lists.groups,
    GROUP: groups.group,
    "/releases": releases.releases,
    "/deliveries": pages.deliveries,
    "/deliveries/{number:number}": pages.delivery,
    "/quarantine": pages.quarantine,
    "/dead": pages.dead,
    "/trackers": pages.trackers,
    "/audit": pages.audit,
    "/configuration": pages.configuration,
}

DOWNLOADS: dict[str, Callable[[PageRequest], Download]] = {"/groups.csv": exports.table, "/groups.atom": exports.feed}

# By path: the action, and the page that shows its result. A form names the group by its identity: after a restore its number may be another's.
ACTIONS: dict[str, tuple[Action, str]] = {
    "/groups": (bulk.bulk, "/groups"),
    f"{GROUP}/sync": (actions.sync, _GROUP),
    f"{GROUP}/file": (actions.file, _GROUP),
    f"{GROUP}/hold": (actions.hold, _GROUP),
    f"{GROUP}/end-hold": (actions.end_hold, _GROUP),
    f"{GROUP}/alias": (actions.alias, _GROUP),
    f"{GROUP}/end-alias": (actions.end_alias, _GROUP),
    f"{GROUP}/relink": (actions.relink, _GROUP),
    f"{GROUP}/retry": (actions.retry, _GROUP),
    f"{GROUP}/discard": (actions.discard, _GROUP),
    f"{GROUP}/replay": (actions.replay_group, _GROUP),
    "/dead/retry-all": (actions.retry_all, "/dead"),
    "/deliveries/{number:number}/replay": (actions.replay_delivery, "/deliveries/{number}"),
    "/quarantine/{number:number}/replay": (actions.release, "/quarantine"),
    "/quarantine/{number:number}/discard": (actions.drop, "/quarantine"),
    "/trackers/{name}/pause": (actions.pause_tracker, "/trackers"),
    "/trackers/{name}/resume": (actions.resume_tracker, "/trackers"),
    "/routes/{name}/pause": (actions.pause_route, "/trackers"),
    "/routes/{name}/resume": (actions.resume_route, "/trackers"),
}
_ERRORS = {404: "There is no such page.", 405: "Method not allowed."}


def site(config: Config, store: Store, clock: Clock) -> ASGIApp:
    """All pages behind the guard. Raises ConfigError if the console's password cannot be read."""
    endpoints = _Endpoints(config, store, clock)
    health = Health(config, store, clock)
    routes = [
        Route("/livez", health.livez),
        Route("/readyz", health.readyz),
        Route("/metrics", endpoints.metrics),
        Route("/console.css", partial(_file, "console.css", "text/css")),
        Route("/console.js", partial(_file, "console.js", "text/javascript")),
        Route("/favicon.svg", partial(_file, "favicon.svg", "image/svg+xml")),
        Route("/find", endpoints.find),
    ]
    for path, view in {**PAGES, "/groups/{name:path}": groups.named}.items():
        routes.append(Route(json_path(path), partial(endpoints.json, view)))
        routes.append(Route(path, partial(endpoints.html, view)))
    for path, download in DOWNLOADS.items():
        routes.append(Route(path, partial(endpoints.download, download)))
    for path, (action, page) in ACTIONS.items():
        routes.append(Route(path, partial(endpoints.act, action, page), methods=["POST"]))
    app = Starlette(
        routes=routes,
        exception_handlers={
            NotFound: partial(endpoints.error, 404),
            Elsewhere: endpoints.elsewhere,
            StoreUnavailable: partial(endpoints.error, 503),
            HTTPException: partial(endpoints.error, None),
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, config.console)


class _Endpoints:
    """Answers for pages, their JSON, actions, metrics and errors."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._gauges = metrics.Gauges(lambda: gauges.read(config, store, clock.wall()))
        # Results of actions, each shown once on the page that follows. Only a random name stands in the address, since a text there
        # could come from anybody.
        self._flashes: OrderedDict[str, str] = OrderedDict()

    def _request(self, http: Request, form: Mapping[str, str] | None = None) -> PageRequest:
        visitor: Visitor = http.scope.get(VISITOR, NOBODY)
        request = PageRequest(
            self._config,
            self._store.acting(visitor.actor),
            self._clock.wall(),
            dict(http.path_params),
            dict(http.query_params),
            form or {},
            self._config.console.url or str(http.base_url).rstrip("/"),
        )
        if any(
            "\0" in value
            for part in (http.path_params, request.query, request.form)
            for value in map(str, part.values())
        ):
            raise HTTPException(400, "The request has a null character, which no text of syncd has.")
        return request

    def html(self, view: View, http: Request) -> Response:
        request = self._request(http)
        page = view(request)
        flash = self._flashes.pop(request.get("flash") or "", None)
        visitor = http.scope.get(VISITOR, NOBODY)
        html = as_html(page, http.scope["path"], request.query, request.now, flash, visitor)
        # Only on demand: a page that changes while somebody reads it is a nuisance.
        headers = {"refresh": str(LIVE_SECONDS)} if request.get("live") else None
        return Response(html, media_type="text/html", headers=headers)

    def json(self, view: View, http: Request) -> Response:
        return Response(as_json(view(self._request(http))), media_type="application/json")

    def download(self, read: Callable[[PageRequest], Download], http: Request) -> Response:
        """A file; the header Link has the address of its continuation (RFC 8288)."""
        file = read(self._request(http))
        headers = {"content-disposition": f'inline; filename="{file.name}"'}
        headers |= {"link": f'<{file.next}>; rel="next"'} if file.next else {}
        return Response(file.content, media_type=file.media_type, headers=headers)

    def find(self, http: Request) -> Response:
        """Redirect to the group that the text names, else to the list of groups that contain it."""
        request = self._request(http)
        text = request.get("text")
        fits = search.matches(self._store, text) if text and (len(text) >= 4 or text[0] == "#") else []
        page = group_page(fits[0].standing.group.identity) if len(fits) == 1 else link("/groups", text=text)
        return RedirectResponse(page, 303)

    def elsewhere(self, http: Request, error: Exception) -> Response:
        """Redirect to the page of the thing, or to its JSON."""
        page = cast(Elsewhere, error).path
        return RedirectResponse(json_path(page) if http.scope["path"].endswith(".json") else page, 303)

    async def act(self, action: Action, page: str, http: Request) -> Response:
        """Carry out an action and redirect to the page that shows its result."""
        body = b""
        async for piece in http.stream():
            body += piece
            if len(body) > FORM_BYTES:
                raise HTTPException(413, "The form is too large.")
        try:
            form = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FIELDS))
        except ValueError:
            raise HTTPException(400, f"The form has more than {FIELDS} fields.") from None
        request = self._request(http, form)
        result = await run_in_threadpool(action, request)
        log.info("operator_action", action=logged(http.scope["path"]), actor=request.store.actor, result=result)
        flash = secrets.token_urlsafe(9)
        self._flashes[flash] = result
        while len(self._flashes) > FLASHES:
            self._flashes.popitem(last=False)
        target = request.form.get("back") or page.format(
            **{name: segment(str(part)) for name, part in request.path.items()}
        )
        # Only a path of the console: a form must not lead anywhere else.
        target = target if target.startswith("/") and not target.startswith("//") and "\\" not in target else "/"
        place, _, query = target.partition("?")
        parts = [(name, value) for name, value in parse_qsl(query) if name != "flash"]
        return RedirectResponse(f"{place}?{urlencode([*parts, ('flash', flash)])}", 303)

    def metrics(self, http: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return Response(metrics.text(self._gauges), media_type=metrics.CONTENT_TYPE)

    def error(self, status: int | None, http: Request, error: Exception) -> Response:
        """The page or the JSON for an error. `status` is None for Starlette's own errors, which have one."""
        code = status if status is not None else getattr(error, "status_code", 500)
        message = str(error) if status is not None else _ERRORS.get(code, str(getattr(error, "detail", "")))
        shape = {"error": {"status": code, "message": message}}
        page = Page("error.html", "Not found" if code == 404 else "Failed", shape)
        if http.scope["path"].endswith(".json"):
            return Response(as_json(page), code, media_type="application/json")
        visitor = http.scope.get(VISITOR, NOBODY)
        html = as_html(page, http.scope["path"], {}, self._clock.wall(), None, visitor)
        return Response(html, code, media_type="text/html")


def _file(name: str, kind: str, http: Request) -> Response:  # noqa: ARG001 - Starlette's signature
    return FileResponse(STATIC / name, media_type=kind, headers={"cache-control": "no-cache"})


class Console(threading.Thread):
    """Serves the console on its own thread and event loop, so that its pages never slow down the receiver."""

    def __init__(self, config: Config, store: Store, clock: Clock, bound: socket.socket) -> None:
        """Raises ConfigError if the console's password cannot be read."""
        super().__init__(name="console", daemon=True)
        self._bound = bound
        app = site(config, store, clock)
        address = f"http://{http_server.address_of(bound)}/"
        self._server = http_server.Server(
            app, HEADER_SECONDS, MAX_CONNECTIONS, lambda: log.info("console_listening", address=address)
        )

    def run(self) -> None:
        self._server.run(sockets=[self._bound])

    def stop(self) -> None:
        """Finish the requests in progress, and return."""
        self._server.stop()
        self.join()


def open_console(config: Config, store: Store, clock: Clock, note: Callable[[str], None]) -> Console | None:
    """The configured console; None if it is off or cannot listen, which must not stop the receiver. `note` gets the reason, or an empty text.

    Raises ConfigError if the console's password cannot be read."""
    if config.console.address is None:
        return None
    try:
        bound = http_server.bind(config.console.address)
    except (OSError, UnicodeError) as error:
        why = http_server.refusal(config.console.address, error)
        log.warning("console_disabled", listen=config.console.listen, reason=why)
        note(why)
        return None
    note("")
    try:
        return Console(config, store, clock, bound)
    except ConfigError:
        bound.close()
        raise
