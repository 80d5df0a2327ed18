"""Logs: constant names with facts beside them; a console in a terminal, one JSON object a line otherwise."""

import logging
import os
import sys
from typing import Any

import structlog

from syncd import systemd

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
    if plain and systemd.to_journal(os.environ):
        renderer = _prioritised(renderer)
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


def _prioritised(render: Any) -> Any:
    """Lines with the prefix by which the journal knows how bad it is, so that `journalctl -p warning` finds it."""

    def prefixed(logger: Any, name: str, event: Any) -> str:
        return f"<{_PRIORITIES.get(event.get('level'), 6)}>{render(logger, name, event)}"

    return prefixed


_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
