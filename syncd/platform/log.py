"""Logs: constant event names with facts beside them. In a terminal a line for people, otherwise one JSON object a line.

docs/operate.md lists the events. A line goes straight to stderr: through the standard library's logging it would cost four times as much,
more than anything else that is done for a delivery. Only lines of libraries take that way.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TextIO, cast

import msgspec
import structlog

from syncd.platform import systemd

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PRIORITIES: Mapping[object, int] = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# Libraries whose warnings report what syncd reports itself; those of jira and PyGithub may hold payloads.
_QUIET = ("github", "jira", "urllib3", "asyncio", "psycopg", "psycopg.pool")


def configure(level: str, as_json: bool | None = None) -> None:
    """Send all logs to stderr. `as_json` None: JSON unless stderr is a terminal."""
    plain = not sys.stderr.isatty() if as_json is None else as_json
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if plain:
        processors.append(structlog.processors.format_exc_info)
        render: Any = partial(_as_json, prioritised=systemd.to_journal(os.environ))
    else:
        # Its own choice shows local variables, and so tokens and bodies.
        render = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    global _render
    _render = render if plain and level in ("debug", "info") else None
    structlog.configure(
        processors=[*processors, render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _STDERR)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    for library in _QUIET:
        logging.getLogger(library).setLevel(logging.ERROR)


class _Stderr:
    """stderr, whose reader may go away: then lines are lost, and nothing else happens."""

    def write(self, text: str) -> None:
        """Write one line."""
        try:
            sys.stderr.write(text)
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        """Hand the line to the system."""
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            return


_STDERR = _Stderr()
_render: Callable[[object, str, Mapping[str, object]], str] | None = None  # None if lines go through the logger


def write_batch(logger: Any, event: str, facts: Sequence[Mapping[str, object]]) -> None:
    """Log `event` at level info once for each of `facts`. JSON lines are rendered without the logger and written at once.

    A line for each delivery through the logger costs a tenth of the accept rate (decision 0017).
    """
    if _render is None:
        for fact in facts:
            logger.info(event, **fact)
        return
    shared = {"event": event, "level": "info", "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    _STDERR.write("".join(f"{_render(None, 'info', {**fact, **shared})}\n" for fact in facts))
    _STDERR.flush()


def _as_json(_logger: object, _method: str, event: Mapping[str, object], *, prioritised: bool) -> str:
    encoded = msgspec.json.encode(event, enc_hook=repr)
    # The locale decides what else a stream can hold, so every line is ASCII.
    line = encoded.decode() if encoded.isascii() else json.dumps(event, default=repr)
    # By this prefix the journal knows the line's priority, for `journalctl -p warning`.
    return f"<{_PRIORITIES.get(event.get('level'), 6)}>{line}" if prioritised else line
