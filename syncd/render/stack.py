"""A call stack as an issue has it: the frames of the program's own are marked, runs of other frames are folded, and all of it can be unfolded.

The marks and the lines that stand for folded frames are syncd's own; they travel with the frames in one block of code.
"""

from collections.abc import Sequence
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
