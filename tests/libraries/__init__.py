"""The classes, texts and private parts of libraries that syncd relies on, one test for each.

A failure here names the library and the part of it that changed. What syncd does with a part is tested beside its module.
"""

from importlib.metadata import version


def changed(library: str, part: str) -> str:
    """The message of a failed assertion: which library, in which version, and which part syncd relies on."""
    return f"{library} {version(library)}: syncd relies on this: {part}"
