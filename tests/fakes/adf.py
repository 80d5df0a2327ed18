"""The judge of Atlassian documents: Atlassian's own JSON schema, where it is at hand."""

import json
from functools import cache
from typing import Any

import fastjsonschema

from tests.fakes import specs


def problem(document: object) -> str | None:
    """What is wrong with the document; None when nothing is, or when the schema is not at hand."""
    if not specs.available():
        return None
    try:
        _schema()(document)
    except fastjsonschema.JsonSchemaException as error:
        return str(error)
    return None


@cache
def _schema() -> Any:
    text = (specs.FOLDER / "adf-schema-v1-full.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text))
