"""Resolutions in the languages of Jira's accounts."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import Route
from syncd.core import regression, resolutions
from syncd.model import Condition

ROUTE = Route(tracker="here")

# As Jira's translations and teams write them. Accents, case and apostrophes vary with the keyboard.
REJECTED = """
Won't Fix · Won’t Do · WONTFIX · Not Planned · not_planned · Cannot Reproduce · Incomplete · Declined · Cancelled · Invalid · Works as Designed
Wird nicht behoben · Wird nicht erledigt · Nicht reproduzierbar · Kann nicht reproduziert werden · Unvollständig · Abgelehnt · Ungültig
Ne sera pas corrigé · Ne sera pas fait · Impossible à reproduire · Non reproductible · Incomplet · Refusé · Annulé · ne sera pas corrige
No se corregirá · No se hará · No se puede reproducir · Incompleto · Rechazado · Cancelado
Não será corrigido · Não será feito · Impossível reproduzir · Não reproduzível · Rejeitado
Non verrà corretto · Non verrà eseguito · Impossibile riprodurre · Non riproducibile · Rifiutato
Wordt niet opgelost · Wordt niet gedaan · Kan niet reproduceren · Niet reproduceerbaar · Afgewezen
Nie zostanie naprawione · Nie do zrobienia · Nie można odtworzyć · Odrzucone
Не будет исправлено · Не исправлять · Не воспроизводится · Невозможно воспроизвести · Отклонено · Отклонён · Отменено
修正しない · 対応しない · 再現不可 · 再現できない · 不完全 · 却下 · 仕様通り
수정하지 않음 · 하지 않음 · 재현 불가 · 재현할 수 없음 · 불완전 · 거부됨
不修复 · 不会修复 · 不予处理 · 无法重现 · 不完整 · 已拒绝 · 不予修復
"""
DUPLICATE = "Duplicate · Duplikat · Doppelt · Doublon · Dupliqué · Duplicado · Duplicada · Duplicato · Duplicaat · Dubbel · Duplikat · Дубликат · 重複 · 중복 · 重复"
DONE = """
Done · Fixed · Resolved · Implemented · completed · Delivered · Closed · Released
Fertig · Erledigt · Behoben · Gelöst · Umgesetzt · Geschlossen
Terminé · Fait · Corrigé · Résolu · Livré · Fermé
Hecho · Listo · Corregido · Resuelto · Solucionado · Cerrado
Concluído · Feito · Corrigido · Resolvido · Fechado
Completato · Fatto · Corretto · Risolto · Chiuso
Gereed · Klaar · Opgelost · Hersteld · Gesloten
Gotowe · Naprawione · Rozwiązane · Zrobione · Zamknięte
Готово · Исправлено · Решено · Выполнено · Закрыто
完了 · 修正済み · 解決済み · 対応済み · 修正 · クローズ
완료 · 수정됨 · 해결됨 · 종료
完成 · 已完成 · 已修复 · 已解决 · 已关闭 · 修复
"""


def each(text: str) -> list[str]:
    return [name.strip() for line in text.splitlines() for name in line.split("·") if name.strip()]


def recognised(resolution: str, standard: str = "") -> tuple[bool, bool]:
    """Whether the default patterns take it for won't fix, and for a duplicate."""
    condition = Condition(closed=True, resolution=resolution, standard=standard)
    return regression.resolved_as(condition, ROUTE.wont_fix), regression.resolved_as(condition, ROUTE.duplicate)


@pytest.mark.parametrize("resolution", each(REJECTED))
def test_a_rejected_crash_is_recognised_in_each_language(resolution: str) -> None:
    assert recognised(resolution) == (True, False)


@pytest.mark.parametrize("resolution", sorted(set(each(DUPLICATE))))
def test_a_duplicate_is_recognised_in_each_language(resolution: str) -> None:
    assert recognised(resolution) == (False, True)


@pytest.mark.parametrize("resolution", each(DONE))
def test_what_is_done_is_neither_in_any_language(resolution: str) -> None:
    assert recognised(resolution) == (False, False)
    assert resolutions.english(resolution) == ()


def test_a_name_of_the_teams_own_counts_by_the_id_that_jira_gave_it() -> None:
    assert recognised("Nebude opraveno", "won't fix") == (True, False)
    assert recognised("Nebude opraveno") == (False, False)


def test_a_route_that_does_not_name_a_meaning_does_not_recognise_it_in_any_language() -> None:
    closed = Condition(closed=True, resolution="Wird nicht behoben")
    assert regression.resolved_as(closed, ["Won't Fix"])
    assert not regression.resolved_as(closed, ["invalid"])
    assert regression.resolved_as(closed, ["/^WIRD nicht/i"])
    assert not regression.resolved_as(Condition(resolution="won't fix"), ["won't fix"])


@given(st.sampled_from(sorted(resolutions.PHRASES)), st.data())
def test_every_word_is_found_without_accents_and_in_any_case(language: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(resolutions.PHRASES[language])))
    word = data.draw(st.sampled_from(resolutions.PHRASES[language][name].split("|"))).replace("*", "x")
    changes: list[Callable[[str], str]] = [str.upper, str.title, resolutions.normal, str]
    change = data.draw(st.sampled_from(changes))

    assert name in resolutions.english(change(word))
