"""A frame as a reading: the name of its function as a title says it, the module, and the place in the source. Pure.

Only the beginning of a frame is read, and each expression passes over it once: a frame of any length takes the same bounded time.
"""

import re
from typing import NamedTuple

from syncd.core import frames
from syncd.core.titles import symbols

LONGEST = 4_000  # characters of a frame that are read
_LONGEST_NAMELESS = 600
_MOST_PLACES = 3  # behind a name

# In front of a name: numbers of frames, addresses, marks of debuggers.
_NUMBER = re.compile(
    r"(?:\*\s|=>\s?|>\s?)?(?:\[Callstack\]\s|\[Inline Frame\]\s|\(Inline Function\)\s)?(?:frame\s)?"
    r"(?:(?:#\d{1,4}:?|\[\s?\d{1,4}\s?\]:?|\d{1,4}[:#]?)\s{1,9})?(?:(?:at|by|from|在|bei|en|à|в|場所)\s{1,9}(?=\S))?(?:\[Inline Frame\]\s)?"
)
_ADDRESS = re.compile(
    r"(?:([\w.+-]+(?:\s[\w.+-]+){0,5})\s{1,99})?(?:0x[0-9a-fA-F]{3,16}|[0-9a-fA-F]{16}):?\s{1,9}(?:in\s|-\s)?(?=\S)"
)
_TOMBSTONE = re.compile(
    r"(?:native:\s)?#\d{1,4}\s+pc\s+[0-9a-f]{6,16}\s+(\S{1,1000})\s(?:\(offset\s0x[0-9a-f]+\)\s)?\((?!BuildId|offset|deleted|\?)(.{1,3000}?)\+\d{1,9}\)"
)
_IN_BRACKETS = re.compile(r"\((?!anonymous|lambda|wrapper|extension|\d+\))([\w .-]{1,80})\)\s(?=\S)")
_PLACE_IN_FRONT = re.compile(r"\[[^\[\]]{0,500}[\\/][^\[\]]{0,500}\]\s(?=\S)")
_MODULE = re.compile(r"([^\s!(<]{1,255}?)(?<!operator)!(?!\()")
_LLDB = re.compile(r"([\w.+-]{1,80})`(?=[A-Za-z_+-][^`']*\Z)")
_DEFER = re.compile(r"\$defer #\d{1,4} [^()]{0,100}\(\) in (?=\S)")
_LOADER = re.compile(r"(?:[\w.-]{1,40}//|(?:java|jdk)\.[\w.]{1,80}(?:@[\w.+-]{1,40})?/)")
_GLIBC = re.compile(r"([^\s(]{1,255})\(([^\s()+]{1,255})\+0x[0-9a-fA-F]+\)")
# Interpreters write the place in front and the name behind.
_PYTHON = re.compile(r'File "([^"]{1,1000})", line \d{1,9}(?:, in (.{1,300}))?')
_LUA = re.compile(
    r"(\[C\]|\[\w+ \"[^\"]{1,300}\"\]|[^\s:]{1,300}):(?:-?\d{1,9}:)? in (?:(?:(?:function|method|local|upvalue|field|global) ('[^']{1,200}'|<[^>]{0,400}>))|main chunk|\?)"
)
# Behind a name.
_BEHIND = re.compile(
    r"\s(?:at|from)\s[^\s()]{1,1000}(?:\s0x[0-9a-f]+)?\Z|\sin\s[^\s()]{1,1000}:[\d,]{1,12}\Z|\s[^\s()]{1,1000}\.\w{1,5}:\d{1,9}\Z|\sLine\s\d{1,9}.{0,40}\Z|\s<0x[0-9a-f]+>\Z|\s\+\s0\Z|\s\[as\s[^\]]{1,200}\]\Z|@@?GLIBC\w*[\d.]*\Z"
)
_COREDUMP = re.compile(r"\s\(([^\s()]{1,300}\.(?:so|dylib|exe|dll|node)[\d.]*|n/a)(?:\s\+\s0x[0-9a-f]+)?\)\Z")
_SOURCE = re.compile(r"\s(?:at|from|in)\s([/.\w][^\s()]{1,1000})\Z")
_EXCEPTION = re.compile(
    r"(?:Uncaught |Caused by: |Fatal Exception: |Unhandled Exception: )?(?:[A-Za-z_]\w{0,100}\.){0,20}(?!Handle|Throw|Raise|Log|Report|On|Get|Set|Print|Catch|Rethrow|Process)"
    r"([A-Z]\w{0,100}(?:Exception(?=:\s|\s*\Z)|Error(?=:\s)))|((?:Type|Range|Reference|Syntax|Key|Value|Attribute|Index|Runtime|OS|IO|Import|Name|Assertion|Memory|Recursion|ZeroDivision)Error)\s*\Z"
)
# Android marks native methods of Java with a sign behind the name.
_NATIVE = re.compile(r"(?<=\w)!(?= \(Native)")
_NO_NAME = re.compile(
    r"(?:n/a|\?+)\Z|\.{0,2}/|[A-Za-z]:[\\/]|\((?:native|unknown)|\[[\w.]{1,80}\]\Z|<symbols? missing", re.IGNORECASE
)
_BARE_MODULE = re.compile(
    r"(?:lib)?(?:unreal|ue[45])(?:editor|game)?[-_]\w[\w-]*(?:\.(?:dll|exe|so|dylib))?|[a-z_][\w-]*\.(?:dll|exe|so|dylib)",
    re.IGNORECASE,
)
_ENDINGS = re.compile(r"\.(?:dll|exe|so(?:\.[\d.]+)?|dylib)\Z", re.IGNORECASE)


class Reading(NamedTuple):
    """The parts of a frame. `name` is for people; `key` is for patterns: without template arguments and without underscores in front.
    An empty `name` is that of a frame without one. `place` is what stands behind the name, in lower case."""

    name: str = ""
    key: str = ""
    module: str = ""
    place: str = ""


@frames.cached
def read(frame: str) -> Reading:
    """Read a frame into its parts."""
    text = frame[:LONGEST].strip()
    if python := _PYTHON.match(text):
        name = (python[2] or "").strip()
        return Reading(name, name, "", python[1].lower())
    if lua := _LUA.fullmatch(text):
        return _of_lua(lua)
    if tombstone := _TOMBSTONE.match(text):
        is_nameless = frames.nameless(tombstone[2][:_LONGEST_NAMELESS])
        return _reading(tombstone[2], "" if is_nameless else frames.name_of(tombstone[2]), tombstone[1])
    text = _NATIVE.sub("", text, 1)
    # No tool writes so much for a function that it cannot name.
    if len(text) <= _LONGEST_NAMELESS and frames.nameless(text):
        return Reading(module=_nameless_module(text), place=text.lower())
    return _named(text)


def exception(frame: str) -> str | None:
    """The class of an exception where the frame is one, as some senders put it on top of the stack; None for a function."""
    header = _EXCEPTION.match(frame[:LONGEST].strip())
    return None if header is None else header[1] or header[2]


def _of_lua(lua: re.Match[str]) -> Reading:
    inside = (lua[2] or "").strip("'")
    name = inside or ("" if lua[1].startswith("[") else re.split(r"[/\\]", lua[1])[-1])
    name = "" if name.startswith("<") else name
    return Reading(name, name, "", lua[1].lower())


def _named(text: str) -> Reading:
    text = text[number.end() :] if (number := _NUMBER.match(text)) and number.end() < len(text) else text
    module = ""
    if (address := _ADDRESS.match(text)) and address.end() < len(text):
        module, text = address[1] or "", text[address.end() :]
    if brackets := _IN_BRACKETS.match(text):
        module, text = brackets[1], text[brackets.end() :]
    if place := _PLACE_IN_FRONT.match(text):
        text = text[place.end() :]
    if glibc := _GLIBC.match(text):
        return _reading(text, glibc[2], glibc[1])
    if binary := _MODULE.match(text) or _LLDB.match(text):
        module, text = binary[1], text[binary.end() :]
    if loader := _LOADER.match(text):
        text = text[loader.end() :]
    if defer := _DEFER.match(text):
        text = text[defer.end() :]
    if dump := _COREDUMP.search(text):
        module, text = dump[1], text[: dump.start()]
    name = frames.name_of(text)
    for _ in range(_MOST_PLACES):
        if (behind := _BEHIND.search(name)) and behind.start():
            name = name[: behind.start()]
    if source := _SOURCE.search(text):
        module = module or (source[1] if re.search(r"\.(?:so|dylib|dll)", source[1]) else "")
    return _reading(text, name, module)


def _reading(text: str, name: str, module: str) -> Reading:
    name = symbols.plain(name)
    if _NO_NAME.match(name):
        return Reading(module=_nameless_module(text), place=text[-1_500:].lower())
    return Reading(
        symbols.display(name),
        symbols.key(name),
        re.split(r"[/\\]", module)[-1],
        f"{module} {text[-1_500:]}".lower() if module or len(text) > len(name) else "",
    )


def _nameless_module(text: str) -> str:
    """The module that a frame without a name lies in, empty if it names none."""
    file = frames.module_of(text)
    if file is None:
        inside = re.search(r"[\w.+-]{1,200}\.(?:so|dylib|dll|exe)\b(?:\.\d+)*|\A[\w.-]{1,200}\Z", text)
        file = inside[0] if inside else ""
    return file


def bare_module(frame: str) -> str | None:
    """The module where the frame is nothing but its name, without an offset: what Unreal writes for a function without symbols."""
    text = frame[:256].strip()
    return _ENDINGS.sub("", text) if _BARE_MODULE.fullmatch(text) else None
