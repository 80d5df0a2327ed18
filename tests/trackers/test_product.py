"""A sample of the complete table of refusals, which `make prove` goes through as a whole."""

import random
from itertools import product
from pathlib import Path

import pytest

from tests.prove import scopes


@pytest.mark.parametrize("name", scopes.PLACES)
def test_a_sample_of_all_refusals_is_charged_rightly(name: str, tmp_path: Path) -> None:
    place = scopes.PLACES[name]
    places = list(product(place.requests, place.states))
    tally = scopes.Tally()
    for operation, state in random.Random(name).sample(places, 12):
        tally.add(scopes.try_all(name, operation, state, tmp_path, seed=1, share=0.005))

    assert tally.wrong == []
    assert tally.cases > 100
