"""The limit: the same server with nothing behind it. `python -m bench.noop` reads bodies and answers 200; with the argument `same-imports`
it imports before whatever the daemon does.
"""

import socket
import sys
from importlib import import_module

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _nothing(request: Request) -> Response:
    await request.body()
    return Response(b'{"status":"accepted"}', media_type="application/json")


def serve(app: Starlette) -> None:
    """Until it is killed, on a port of its own, which it prints."""
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", lifespan="off", log_level="error", access_log=False
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    if "same-imports" in sys.argv:
        for name in ("syncd.cli", "syncd.daemon.app", "syncd.trackers.local.tracker"):
            import_module(name)
    serve(Starlette(routes=[Route("/webhooks/backtrace", _nothing, methods=["POST"])]))
