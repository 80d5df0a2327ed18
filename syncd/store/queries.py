"""The text of every query, by name."""

import re
from importlib.resources import files

_NAMED = re.compile(r"^-- (\w+): .+\n((?:(?!-- ).*\n?)+)", re.MULTILINE)


def load() -> dict[str, str]:
    """queries.sql as {name: SQL}. A name given twice is an error of ours."""
    text = files("syncd.store").joinpath("queries.sql").read_text(encoding="utf-8")
    named = [(match[1], match[2].strip().rstrip(";")) for match in _NAMED.finditer(text)]
    queries = dict(named)
    if len(queries) != len(named):
        raise ValueError("a query is named twice in queries.sql")
    return queries
