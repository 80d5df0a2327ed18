"""A daemon that starts behind any pooler: `python -m tests.prove.pooled HOW run --config FILE`.

It does not look whether sessions are its own. `unchecked` is all that; with `careless` its hints also set `synchronous_commit` for the
session and its writes do not ask for it: the negative control of the pooler proof.
"""

import sys
from typing import Any

UNCHECKED = ("-m", "tests.prove.pooled", "unchecked")
CARELESS = ("-m", "tests.prove.pooled", "careless")


def main(how: str, *arguments: str) -> None:
    """Replace what `how` names, and run syncd."""
    from syncd.store.postgresql import connection, hints, server

    server.require_own_sessions = lambda first, settings: None
    if how == "careless":
        for name in ("_BEGIN_ADDING", "_BEGIN_EXCLUSIVE", "_BEGIN_SHARED"):
            setattr(connection, name, getattr(connection, name).replace(f"; {connection.DURABLE}", ""))
        send = hints.ServerHints._send

        def send_carelessly(self: hints.ServerHints, session: Any) -> None:
            session.execute("SET synchronous_commit = off")
            send(self, session)

        hints.ServerHints._send = send_carelessly  # type: ignore[method-assign]
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(*sys.argv[1:])
