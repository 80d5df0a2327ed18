"""Logs: constant names with facts beside them; a console in a terminal, one JSON object a line otherwise."""

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from syncd.platform import systemd

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str, as_json: bool | None = None) -> None:
    """Send everything to stderr. `as_json` None: JSON unless stderr is a terminal."""
    plain = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([structlog.processors.format_exc_info] if plain else []),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer()
    handler: logging.Handler = _Joined(sys.stderr, "")
    if plain and systemd.to_journal(os.environ):
        renderer = _prioritised(renderer)
        handler = _Joined(sys.stderr, _prefix("info"))
    if not plain:
        # Its own choice shows local variables, and so tokens and bodies.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    for noisy in (
        "uvicorn",
        "uvicorn.error",
        "uvicorn.access",
        "github",
        "jira",
        "urllib3",
        "asyncio",
        "psycopg",
        "psycopg.pool",
    ):
        # Libraries report what they were told to do; jira's and PyGithub's lines may hold payloads.
        logging.getLogger(noisy).setLevel(logging.WARNING if noisy.startswith("uvicorn") else logging.ERROR)


def write_all(logger: Any, event: str, facts: Sequence[Mapping[str, object]]) -> None:
    """`logger.info(event, **one)` for each of `facts`. Where lines are JSON, all in one write: a line by itself costs more than
    all else that is done for a delivery."""
    root = logging.getLogger()
    if not root.isEnabledFor(logging.INFO):
        return
    joined = [handler for handler in root.handlers if isinstance(handler, _Joined)]
    if not joined:
        for one in facts:
            logger.info(event, **one)
        return
    same = {"event": event, "level": "info", "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    for handler in joined:
        handler.write_lines([_encoded({**one, **same}) for one in facts])


def _encoded(facts: Mapping[str, object]) -> str:
    encoded = msgspec.json.encode(facts)
    # What else a stream can hold depends on the locale; the other lines are ASCII, too.
    return encoded.decode() if encoded.isascii() else json.dumps(facts)


class _Joined(logging.StreamHandler[Any]):
    """A handler to which lines may be given that are rendered already."""

    def __init__(self, stream: Any, prefix: str) -> None:
        super().__init__(stream)
        self._prefix = prefix

    def write_lines(self, lines: Sequence[str]) -> None:
        self.acquire()
        try:
            self.stream.write("".join(f"{self._prefix}{line}\n" for line in lines))
            self.flush()
        except (OSError, ValueError):
            return  # nobody reads any more: the library says nothing of that either
        finally:
            self.release()


def _prioritised(render: Any) -> Any:
    """Lines with the prefix by which the journal knows how bad it is, so that `journalctl -p warning` finds it."""

    def prefixed(logger: Any, name: str, event: Any) -> str:
        return f"{_prefix(event.get('level'))}{render(logger, name, event)}"

    return prefixed


def _prefix(level: object) -> str:
    return f"<{_PRIORITIES.get(level, 6)}>"


_PRIORITIES: Mapping[object, int] = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
