"""A call stack as an issue has it: the frames of the program's own are marked, runs of other frames are folded, and all of it can be unfolded.

The marks and the lines that stand for folded frames are syncd's own; they travel with the frames in one block of code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from syncd.core.titles import Rank
from syncd.render.text import Block, Code, Details

OWN = "→ "
_INDENT = "  "
_FEW = 2  # frames that are not worth folding
_MOST_OWN = 20  # of the program's own; what is further down is among all frames
_FIRST = 10  # frames of a stack without one of the program's own


def stack(frames: Sequence[str], ranks: Sequence[Rank], more: int = 0) -> tuple[Block, ...]:
    """The blocks of a stack. `ranks` has the rank of each frame, `more` counts the frames below."""
    lines = _lines(frames, ranks)
    is_whole = len(lines) == len(frames) and not any(line.startswith(f"{_INDENT}… ") for line in lines)
    if is_whole:
        return (Code(lines, more=more),)
    every = Details(f"All {len(frames) + more:,} frames", (Code(tuple(frames), more=more),), spare=True)
    return Code(lines), every


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring frames, the first of them number `first` of the stack. Those of others than the program are folded under `summary`, which is empty
    where they are visible."""

    first: int
    frames: tuple[str, ...]
    is_own: bool
    summary: str


def runs(frames: Sequence[str], ranks: Sequence[Rank]) -> Iterator[Run]:
    """A whole stack for a page that can fold: the program's own frames, the top of the stack, and runs that are not worth folding are visible;
    without a frame of its own the first ones are."""
    least = 1 if Rank.OWN in ranks else _FIRST
    place = 0
    for is_own, group in groupby(ranks, key=lambda rank: rank is Rank.OWN):
        run = list(group)
        visible = len(run) if is_own or len(run) <= _FEW else 0 if place else min(least, len(run))
        for start, end in ((place, place + visible), (place + visible, place + len(run))):
            if start < end:
                folded = "" if start < place + visible else _folded(ranks[start:end])[0].strip().removeprefix("… ")
                yield Run(start + 1, tuple(frames[start:end]), is_own, folded)
        place += len(run)


def _lines(frames: Sequence[str], ranks: Sequence[Rank]) -> tuple[str, ...]:
    if Rank.OWN not in ranks:
        return (*(f"{_INDENT}{frame}" for frame in frames[:_FIRST]), *_folded(ranks[_FIRST:]))
    lines, own = list[str](), 0
    runs = [(key, [*run]) for key, run in groupby(enumerate(frames), key=lambda each: _sort(ranks[each[0]], each[1]))]
    for number, ((is_own, _), run) in enumerate(runs):
        if is_own and own >= _MOST_OWN:
            lines += _folded(ranks[run[0][0] :])
            break
        if is_own:
            own += 1
            lines.append(f"{OWN}{run[0][1]}")
            lines += [f"{_INDENT}… {len(run) - 1:,} more of the same"] if len(run) > 1 else []
            continue
        # The top of the stack says what happened, even where a library did it.
        visible = len(run) if len(run) <= _FEW else int(not number)
        lines += [f"{_INDENT}{frame}" for _, frame in run[:visible]]
        lines += _folded([ranks[place] for place, _ in run[visible:]])
    return tuple(lines)


def _sort(rank: Rank, frame: str) -> tuple[bool, str]:
    """Equal for neighbours that stand in one run: frames of others, and calls of one function by itself."""
    return rank is Rank.OWN, frame if rank is Rank.OWN else ""


def _folded(ranks: Sequence[Rank]) -> list[str]:
    """The line that stands for frames, if there are any."""
    if not ranks:
        return []
    if Rank.OWN in ranks:
        whose = ""
    else:
        whose = " without names" if all(rank is Rank.NAMELESS for rank in ranks) else " of libraries and the system"
        whose += ", some without names" if Rank.NAMELESS in ranks and "libraries" in whose else ""
    return [f"{_INDENT}… {len(ranks):,} {'frame' if len(ranks) == 1 else 'frames'}{whose}"]
