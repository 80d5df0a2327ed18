"""The same Starlette route in front of another queue: `python route.py QUEUE FOLDER`. It runs in the peers' environment, without syncd."""

import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Keep = Callable[[bytes], Awaitable[object]]


async def huey(folder: str) -> Keep:
    """Huey's task queue in a file; fsync=True is what its documentation names for durability."""
    from huey import SqliteHuey

    queue = SqliteHuey(filename=f"{folder}/huey.db", fsync=True)

    @queue.task()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
    def fold(body: bytes) -> None:
        """Never carried out here."""

    return lambda body: run_in_threadpool(fold, body)


async def persist_queue(folder: str) -> Keep:
    """persist-queue's queue in a file, each put committed."""
    from persistqueue import SQLiteQueue

    queue = SQLiteQueue(folder, multithreading=True, auto_commit=True)
    return lambda body: run_in_threadpool(queue.put, body)


async def procrastinate(url: str) -> Keep:
    """Procrastinate's queue on PostgreSQL, through its asynchronous connector and its pool."""
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task  # type: ignore[untyped-decorator]
    def fold(body: str) -> None:
        """Never carried out here."""

    await app.open_async()
    await app.schema_manager.apply_schema_async()
    return lambda body: fold.defer_async(body=body.decode())


QUEUES = {"huey": huey, "persist-queue": persist_queue, "procrastinate": procrastinate}


def main() -> None:
    """Serve on a port of its own, which it prints."""
    kept: list[Keep] = []

    @asynccontextmanager
    async def opened(_: Starlette) -> AsyncIterator[None]:
        kept.append(await QUEUES[sys.argv[1]](sys.argv[2]))
        yield

    async def receive(request: Request) -> Response:
        await kept[0](await request.body())
        return JSONResponse({"status": "accepted"})

    app = Starlette(routes=[Route("/webhooks/backtrace", receive, methods=["POST"])], lifespan=opened)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", log_level="error", access_log=False)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    sys.path = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent.resolve()]
    main()
