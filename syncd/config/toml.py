"""Where a TOML document breaks off: the bracket or quotation mark that nothing closes. Python's parser names only where it noticed."""

import re
import tomllib

_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_CLOSING = {"]": "[", "}": "{"}
# Strings of TOML 1.0, of which the multi-line ones come first, with the marks of those that end nowhere; comments; brackets.
_TOKEN = re.compile(
    r"""\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|\"\"\"|'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|["'\[\]{}]""",
    re.DOTALL,
)


def explain(document: str, error: tomllib.TOMLDecodeError) -> str:
    """The message of the error, and what is open where it was noticed, with its line."""
    place = _PLACE.search(str(error))
    if place is None:
        return str(error)
    lines = document.splitlines(keepends=True)
    noticed = len(lines) + 1 if place[1] is None else int(place[1])
    before = (
        document
        if place[1] is None
        else "".join(lines[: noticed - 1]) + "".join(lines[noticed - 1 :])[: int(place[2]) - 1]
    )
    mark, line = _open(before)
    if mark == "" or line == noticed:
        return str(error)
    return f"{error}; the {mark} in line {line} is not closed"


def _open(document: str) -> tuple[str, int]:
    """The innermost bracket, or the quotation marks, that the document does not close, and its line; an empty mark if it closes all."""
    opened: list[tuple[str, int]] = []
    for token in _TOKEN.finditer(document):
        text, line = token[0], document.count("\n", 0, token.start()) + 1
        if text in ("[", "{"):
            opened.append((text, line))
        elif text in _CLOSING:
            if opened and opened[-1][0] == _CLOSING[text]:
                opened.pop()
        elif text in ('"""', "'''", '"', "'"):
            return text, line
    return opened[-1] if opened else ("", 0)
