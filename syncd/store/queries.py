"""The text of every query, by name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

# Rows of one statement: SQLite takes 32,766 parameters, PostgreSQL's protocol 65,535, and both any number of VALUES.
MAX_ROWS = 500

_NAMED = re.compile(r"^-- (\w+): .+\n((?:(?!-- ).*\n?)+)", re.MULTILINE)
_PART = re.compile(r"\{(_\w+)\}")
# The only phrases that differ; queries.sql explains them at its top.
_PHRASES = {
    "sqlite": {
        "lock": "",
        "skip_locked": "",
        "terms": "SELECT json_extract(value, '$.term') AS term, json_extract(value, '$.numbered') AS numbered, "
        "json_extract(value, '$.name') AS name, json_extract(value, '$.value') AS value FROM json_each(:terms)",
        "closed_at": "json_extract(issues.condition, '$.closed_at')",
        "labels": "SELECT value AS label FROM json_each(:labels)",
        "attributes": "json_each(groups.attributes) AS pair, json_each(pair.value, '$[1]') AS attribute "
        "WHERE lower(json_extract(pair.value, '$[0]')) = sought.name",
    },
    "postgresql": {
        "lock": "FOR NO KEY UPDATE OF groups",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "terms": "SELECT term, numbered, name, value FROM json_to_recordset(CAST(:terms AS json)) "
        "AS given (term TEXT, numbered BIGINT, name TEXT, value TEXT)",
        "closed_at": "CAST(CAST(issues.condition AS json) ->> 'closed_at' AS DOUBLE PRECISION)",
        "labels": "SELECT label FROM json_array_elements_text(CAST(:labels AS json)) AS given (label)",
        "attributes": "json_array_elements(CAST(groups.attributes AS json)) AS pair (entry), "
        "json_array_elements_text(pair.entry -> 1) AS attribute (value) WHERE lower(pair.entry ->> 0) = sought.name",
    },
}
_PARAMETER = re.compile(r":(?!rows\b)([a-z_]+)")


def load(dialect: str) -> dict[str, str]:
    """queries.sql as {name: SQL} for `sqlite` or `postgresql`. Raises ValueError if a name occurs twice."""
    text = files("syncd.store").joinpath("queries.sql").read_text(encoding="utf-8")
    named = [(match[1], match[2].strip().rstrip(";")) for match in _NAMED.finditer(text)]
    texts = dict(named)
    if len(texts) != len(named):
        raise ValueError("a query is named twice in queries.sql")
    whole = {name: _whole(text, texts) for name, text in named if not name.startswith("_")}
    for name, query in whole.items():
        for phrase, replacement in _PHRASES[dialect].items():
            query = query.replace(f"{{{phrase}}}", replacement)
        # psycopg writes a parameter as %(name)s.
        whole[name] = _PARAMETER.sub(r"%(\1)s", query) if dialect == "postgresql" else query
    return whole


def _whole(text: str, texts: Mapping[str, str]) -> str:
    """A query with its parts, and with theirs."""
    return _PART.sub(lambda part: _whole(texts[part[1]], texts), text)


def chunks(text: str, mark: str, rows: Sequence[Sequence[object]]) -> Iterator[tuple[str, list[object]]]:
    """Yield a query over `:rows` as statements of at most MAX_ROWS rows, with their parameters. `mark` is the driver's placeholder."""
    for start in range(0, len(rows), MAX_ROWS):
        part = rows[start : start + MAX_ROWS]
        places = ",".join([f"({','.join([mark] * len(part[0]))})"] * len(part))
        yield text.replace(":rows", places), [value for row in part for value in row]
