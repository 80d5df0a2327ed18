"""Expressions of JMESPath, which name what a field of a foreign body means. Pure.

JMESPath (jmespath.org/specification.html) has no regular expressions, no loops and no I/O. Decision 0063 has what else was tried.
"""

from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

LONGEST = 1000  # characters of an expression: the parser calls itself for each bracket


@lru_cache(1024)
def compiled(expression: str) -> Any:
    """Return an expression, compiled once. Raises ValueError with what is wrong in it."""
    if len(expression) > LONGEST:
        raise ValueError(f"has {len(expression):,} characters; at most {LONGEST:,} are allowed")
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        reason = str(error).partition("\n")[0].rstrip(": ")
        raise ValueError(f"{expression!r} is not JMESPath: {reason}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None


def check(expression: str) -> str:
    """Return the expression. Raises ValueError if it is not JMESPath."""
    compiled(expression)
    return expression


def search(expression: str, value: object) -> object:
    """Return what the expression names in a JSON value, None if that is not there or its operands are of another type."""
    try:
        return compiled(expression).search(value)
    except (JMESPathError, RecursionError, ArithmeticError, TypeError, ValueError, AttributeError):
        return None  # jmespath raises where a function gets null or a value of another type
