"""What is known of the functions of each language, runtime and engine, as data: one module for a family, each with a test.

Patterns are those of `syncd.core.patterns`, compared with the key of a reading: no module, no return type, no template arguments, no
underscores in front. What is irrelevant never explains a crash; what is a prefix explains it only where nothing better follows; what is of a
library explains it where no function of the program follows; below a loop the program only waited.
"""

from typing import NamedTuple


class Family(NamedTuple):
    """Functions of one language, runtime or engine. `modules` are binaries of libraries, `plumbing` those whose functions are prefixes;
    `places` are parts of paths, in lower case, of the sources of libraries, `headers` those of inlined containers and pointers."""

    irrelevant: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    plumbing: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
