"""The judge of Atlassian documents: Atlassian's own JSON schema, from npm."""

import json
from functools import cache
from typing import Any

import fastjsonschema

from tests.fakes import specs


def problem(document: object) -> str | None:
    """What is wrong with the document; None when nothing is, or when the schema is not at hand."""
    if specs.missing("adf"):
        return None
    try:
        _schema()(document)
    except fastjsonschema.JsonSchemaException as error:
        return str(error)
    return None


@cache
def _schema() -> Any:
    text = specs.path("adf").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text))
