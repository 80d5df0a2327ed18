"""The text of every query, by name."""

import re
from importlib.resources import files

_NAMED = re.compile(r"^-- (\w+): .+\n((?:(?!-- ).*\n?)+)", re.MULTILINE)
# The only words that differ; why is said at the top of queries.sql.
_WORDS = {
    "sqlite": {"lock": "", "skip_locked": ""},
    "postgresql": {"lock": "FOR NO KEY UPDATE OF groups", "skip_locked": "FOR UPDATE SKIP LOCKED"},
}
_PARAMETER = re.compile(r":(?!rows\b)([a-z_]+)")


def load(dialect: str) -> dict[str, str]:
    """queries.sql as {name: SQL} for `sqlite` or `postgresql`. A name given twice is an error of ours."""
    text = files("syncd.store").joinpath("queries.sql").read_text(encoding="utf-8")
    named = [(match[1], match[2].strip().rstrip(";")) for match in _NAMED.finditer(text)]
    queries = {name: _put(query, dialect) for name, query in named}
    if len(queries) != len(named):
        raise ValueError("a query is named twice in queries.sql")
    return queries


def _put(query: str, dialect: str) -> str:
    for word, replacement in _WORDS[dialect].items():
        query = query.replace(f"{{{word}}}", replacement)
    # psycopg names a parameter %(name)s.
    return _PARAMETER.sub(r"%(\1)s", query) if dialect == "postgresql" else query
