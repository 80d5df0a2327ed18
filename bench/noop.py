"""A no-op server, the upper limit of the accept rate: `python -m bench.noop` reads bodies and answers 200.

With the argument `same-imports` it first imports the modules that the daemon imports.
"""

import socket
import sys
from importlib import import_module

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _respond(request: Request) -> Response:
    await request.body()
    return Response(b'{"status":"accepted"}', media_type="application/json")


def serve(app: Starlette) -> None:
    """Print a free port and serve on it until the process is killed."""
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
    serve(Starlette(routes=[Route("/webhooks/backtrace", _respond, methods=["POST"])]))
