"""Bad weather for a fake: so large a share of its requests fails, in every way it knows, by a seeded chance."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from tests.fakes.server import Fault, How, Recorded

_PAGE = b"<!DOCTYPE html><html><title>502 Bad Gateway</title><body>nginx</body></html>"
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_BEFORE: list[tuple[int, Mapping[str, str], Any]] = [
    (429, {"Retry-After": "1"}, {"message": "slow down"}),
    (500, {}, {"message": "ordered to fail"}),
    (502, _HTML, _PAGE),
    (503, {}, {"message": "ordered to fail"}),
]
_AFTER = [answer for answer in _BEFORE if answer[0] != 429]  # a 429 is the word that nothing was done
_HOLDS = ("hang_before", "hang_after", "slow")


class Weather:
    """A `ServerBase.weather`. What is drawn depends on the seed alone; which request it meets, on the order of arrival.

    Holds last `hold` seconds, from and to, and end by themselves; they are half as frequent as the rest, because whoever is held
    up does nothing else meanwhile. `share` may be changed at any time; `met` counts the
    requests that came while it was above 0, `failed` what was ordered for them.
    """

    def __init__(self, seed: int, share: float, hold: tuple[float, float]) -> None:
        self.met = 0
        self.failed: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self.share = share
        self._hold = hold
        self._hows: list[How] = [how for how in get_args(How) for _ in range(1 if how in _HOLDS else 2)]

    def __call__(self, request: Recorded) -> Fault | None:
        """The failure of this request, or None. The fake calls it under its lock."""
        self.met += self.share > 0
        if self._chance.random() >= self.share:
            return None
        how = self._chance.choice(self._hows)
        status, headers, body = self._chance.choice(_AFTER if how == "status_after" else _BEFORE)
        self.failed[f"{how} {status}" if how.startswith("status") else how] += 1
        seconds = self._chance.uniform(*self._hold) if how in _HOLDS else 0.0
        return Fault(how=how, status=status, headers=headers, body=body, seconds=seconds)
