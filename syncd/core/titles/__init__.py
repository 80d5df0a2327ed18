"""The title of a crash: which function it names, and what kind of crash it says. Pure.

A frame is read into parts (`reading`, `symbols`), judged by lists of each language and engine (`families`, `judging`), and the culprit makes
a sentence with the kind of crash (`sentence`).
"""

from syncd.core.titles.judging import DEFAULT, Culprit, Rank, Rules, culprit, ranks
from syncd.core.titles.reading import exception, read
from syncd.core.titles.sentence import kind, sentence

__all__ = ["DEFAULT", "Culprit", "Rank", "Rules", "culprit", "exception", "kind", "ranks", "read", "sentence"]
