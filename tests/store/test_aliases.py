"""What an alias adds to a count, through the store of either database."""

import pytest

from syncd.config import Config
from syncd.operate import actions
from syncd.store import Store, outbox
from syncd.worker.absorb import absorb as absorb_batch
from tests.store.filled import NOW, ToHere, accept, crash_notification

PLAIN, MERGED = "a" * 64, "0" * 16 + "b" * 48
# The notifications of 150 and of 300 crashes in each reading, as (occurrences, first, last).
TOTALS = ([(100, 1000, 2000), (150, 1000, 3000)], [(280, 1000, 2500), (300, 1000, 3000)])
WINDOWS = ([(100, 1000, 2000), (50, 2001, 3000)], [(200, 1000, 2000), (100, 2001, 3000)])


@pytest.mark.parametrize(("mode", "sent"), [("cumulative", TOTALS), ("window", WINDOWS)])
@pytest.mark.parametrize("alias", ["c" * 64, MERGED])
def test_an_alias_takes_a_group_from_150_to_300_and_back(
    alias: str, mode: str, sent: tuple[list[tuple[int, int, int]], ...], store: Store
) -> None:
    routing = ToHere(config=Config.model_validate({"notifications": {"occurrence_mode": mode}}))
    # A merged group counts those that it was merged of.
    for fingerprint, counted in ((PLAIN, sent[0]), (alias, sent[1] if alias == MERGED else sent[0])):
        for occurrences, first, last in counted:
            accept(store, crash_notification(fingerprint, occurrences=occurrences, timestamp=[first, last]))
            while absorb_batch(store, routing, NOW)[0]:
                pass
    ids = {view.standing.group.identity.fingerprint: view.id for view in store.lists.by_fingerprint("")}

    def count(fingerprint: str) -> tuple[int, bool]:
        group, _ = store.read(lambda transaction: outbox.load(transaction, ids[fingerprint]))
        return group.occurrences, group.approximate

    alone = count(PLAIN), count(alias)
    assert alone == ((150, False), (300 if alias == MERGED else 150, False))
    actions.add_alias(store, routing, ids[alias], ids[PLAIN], "", NOW)
    assert count(PLAIN) == (300, False)
    actions.remove_alias(store, routing, ids[alias], NOW)
    assert (count(PLAIN), count(alias)) == alone
