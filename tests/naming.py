"""`python -m tests.naming`: refuse names that say nothing about what they stand for, and modules that are too long to read at once.

A name is a noun or a verb of the field (docs/architecture.md has the list of words). Participles and pronouns fit everything, so a
reader has to look up each use. Only bindings are looked at; strings, comments and the names of libraries are not.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("syncd", "tests", "bench")
PARTICIPLE = "a participle fits any value; name the noun: what it is, not what was done to it"
PRONOUN = "a pronoun makes the reader search for what it stands for; name the noun"
FORBIDDEN: Mapping[str, str] = {
    **dict.fromkeys(("told", "said", "asked", "shown", "seen", "found", "known"), PARTICIPLE),
    **dict.fromkeys(("one", "other", "others", "ours", "beside"), PRONOUN),
    "words": "everything here is made of words; name the text: summary, label, message",
    "turn": "it has no meaning in the field; name the work: context, pass, batch",
}
LONGEST = 400  # lines of a module of the program
FORBIDDEN_MODULES = ("utils", "helpers", "managers")


def bindings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the code binds, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchMapping(rest=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from ((node.lineno, name) for name in names)


def problems(path: str, source: str) -> Iterator[str]:
    """One line for each name in `source` that is refused, and for a module of the program that is too long."""
    lines = source.count("\n")
    if path.startswith("syncd/") and lines > LONGEST:
        yield f"{path}: {lines} lines, the longest may have {LONGEST}; give a part of it a module of its own"
    if Path(path).stem in FORBIDDEN_MODULES:
        yield f"{path}: the module's name does not say what belongs in it"
    for line, name in sorted(set(bindings(ast.parse(source)))):
        reason = FORBIDDEN.get(name.strip("_").lower())
        if reason is not None:
            yield f"{path}:{line}: {name}: {reason}"


def files() -> Iterator[tuple[str, Path]]:
    """Every module of the rooms, by its path from the root of the checkout."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "node_modules" not in path.parts:
                yield name, path


def main() -> int:
    """1 if a name or a module is refused."""
    refused = [problem for name, path in files() for problem in problems(name, path.read_text())]
    print("\n".join(refused), file=sys.stderr, end="\n" if refused else "")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
