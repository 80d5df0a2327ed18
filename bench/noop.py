"""The limit: the same server with nothing behind it. `python -m bench.noop` reads bodies and answers 200."""

import socket
import sys

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
    # As large as the receiver that it is compared with, where memory is: what that imports, without running it.
    if "--imports" in sys.argv:
        import syncd.app
        import syncd.trackers.local  # noqa: F401
    serve(Starlette(routes=[Route("/webhooks/backtrace", _nothing, methods=["POST"])]))
