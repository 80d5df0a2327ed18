"""The meaning of a resolution that people write in their own language: its English name, by which routes recognise it. Pure.

Jira translates the names of resolutions into the language of the account that reads them, and teams name their own.
"""

import unicodedata
from functools import lru_cache

from syncd.core.patterns import fits, searched

# By language, the English names of resolutions that say that a crash is not fixed, and the phrases for each: shell patterns between bars, in
# lower case, with or without accents. No word may fit a name for what is done or fixed.
PHRASES: dict[str, dict[str, str]] = {
    "de": {
        "won't fix": "wird nicht *|nicht beheb*|nicht zu beheben|nicht korrigier*|nicht lösbar|nicht geplant|nicht erledigt|nicht umgesetzt"
        "|nicht durchgeführt|wontfix|kein handlungsbedarf",
        "cannot reproduce": "*nicht reproduzier*|*nicht nachvollziehbar|*nicht nachstellbar",
        "incomplete": "unvollständig*|unzureichend*",
        "invalid": "ungültig*|kein fehler|kein bug|kein problem",
        "declined": "abgelehnt|zurückgewiesen|abgewiesen|verworfen",
        "cancelled": "abgebrochen|storniert|zurückgezogen",
        "obsolete": "obsolet|veraltet|überholt|hinfällig",
        "works as designed": "wie vorgesehen|wie entworfen|funktioniert wie *|arbeitet wie *|so gewollt|beabsichtigt*",
        "duplicate": "duplikat*|dublette*|doppelt*|dupliziert*|bereits vorhanden",
    },
    "fr": {
        "won't fix": "ne sera pas *|ne sera jamais *|ne pas *|à ne pas *|non corrigé*|pas de correction|sans suite|non prévu*|non planifié*"
        "|abandonné*",
        "cannot reproduce": "impossible à reproduire|impossible de reproduire|non reproductible*|non reproduit*|irreproductible"
        "|ne peut pas être reproduit*|ne peut être reproduit*",
        "incomplete": "incomplet*",
        "invalid": "invalide*|non valide|pas un bug|pas un bogue|n'est pas un *",
        "declined": "refusé*|décliné*|rejeté*",
        "cancelled": "annulé*",
        "obsolete": "obsolète*|caduc*",
        "works as designed": "fonctionne comme *|comportement attendu|comportement normal",
        "duplicate": "doublon*|dupliqué*|en double|duplicata|double",
    },
    "es": {
        "won't fix": "no se corregirá|no se arreglará|no se solucionará|no se resolverá|no se reparará|no se hará|no se realizará|no se va a *"
        "|no corregir|no arreglar|no hacer|no será *|no planeado|no planificado",
        "cannot reproduce": "no se puede reproducir|no se pudo reproducir|no se ha podido reproducir|no reproducible|no reproducido"
        "|imposible de reproducir|imposible reproducir|irreproducible|no es posible reproducir*",
        "incomplete": "incomplet*",
        "invalid": "inválid*|no válid*|no es un *",
        "declined": "rechazad*|declinad*|denegad*",
        "cancelled": "cancelad*|anulad*",
        "obsolete": "obsolet*|descartad*",
        "works as designed": "funciona como *|por diseño|según lo previsto|según diseño|comportamiento esperado",
        "duplicate": "duplicad*|repetid*",
    },
    "pt": {
        "won't fix": "não será *|não vai ser *|não corrigir|não fazer|não planejado|não planeado|não corrigido",
        "cannot reproduce": "não reproduz*|impossível reproduzir|impossível de reproduzir|não é possível reproduzir|não foi possível reproduzir"
        "|não pode ser reproduzid*",
        "incomplete": "incomplet*",
        "invalid": "inválid*|não é um *",
        "declined": "rejeitad*|recusad*|negad*",
        "cancelled": "cancelad*|anulad*",
        "obsolete": "obsolet*",
        "works as designed": "funciona como *|conforme projetado|conforme esperado|comportamento esperado",
        "duplicate": "duplicad*|repetid*",
    },
    "it": {
        "won't fix": "non verrà *|non sarà *|non correggere|da non *|non pianificato|non risolvibile",
        "cannot reproduce": "impossibile riprodurre|impossibile da riprodurre|non riproducibile|non riprodotto|non è possibile riprodurre",
        "incomplete": "incomplet*",
        "invalid": "non valid*|invalid*|non è un *",
        "declined": "rifiutat*|respint*|declinat*",
        "cancelled": "annullat*|cancellat*",
        "obsolete": "obsolet*|superat*",
        "works as designed": "funziona come *|come da progetto|come previsto|comportamento previsto",
        "duplicate": "duplicat*|doppione|doppio",
    },
    "nl": {
        "won't fix": "wordt niet *|zal niet *|gaan we niet *|niet oplossen|niet repareren|niet herstellen|niet doen|niet gepland|niet opgelost",
        "cannot reproduce": "niet reproduceerbaar|kan niet reproduceren|kan niet worden gereproduceerd|niet te reproduceren"
        "|niet gereproduceerd",
        "incomplete": "onvolledig*|incompleet",
        "invalid": "ongeldig*|geen fout|geen bug|geen probleem",
        "declined": "afgewezen|geweigerd|afgekeurd|verworpen",
        "cancelled": "geannuleerd|ingetrokken|vervallen",
        "obsolete": "verouderd|achterhaald",
        "works as designed": "werkt zoals *|zoals ontworpen|zoals bedoeld",
        "duplicate": "duplica*|dubbel*|gedupliceerd",
    },
    "pl": {
        "won't fix": "nie zostanie *|nie będzie *|nie do naprawy|nie naprawia*|nie do zrobienia|nie robimy|nie planowane|nieplanowane",
        "cannot reproduce": "nie można odtworzyć|nie da się odtworzyć|nie można powtórzyć|nie udało się odtworzyć|nieodtwarzaln*"
        "|nie odtworzono|brak możliwości odtworzenia",
        "incomplete": "niekompletn*|niepełn*",
        "invalid": "nieprawidłow*|niepoprawn*|nieważn*|to nie błąd|nie jest błędem",
        "declined": "odrzucon*|odmowa",
        "cancelled": "anulowan*|wycofan*",
        "obsolete": "przestarzał*|nieaktualn*",
        "works as designed": "działa zgodnie *|zgodne z *|zgodnie z *",
        "duplicate": "duplikat*|zduplikowan*|powielon*",
    },
    "ru": {
        "won't fix": "не будет *|не будем *|не исправлять|не исправимо|неисправимо|не делать|не планируется|не запланировано|не исправлен*",
        "cannot reproduce": "не воспроизв*|невозможно воспроизвести|не удается воспроизвести|не удалось воспроизвести|невоспроизводим*",
        "incomplete": "неполн*|недостаточно *",
        "invalid": "недействительн*|некорректн*|неверн*|не ошибка|не баг|не является ошибкой",
        "declined": "отклонен*|отказано|отвергнут*",
        "cancelled": "отменен*|отмена",
        "obsolete": "устарел*|неактуальн*|не актуальн*",
        "works as designed": "работает как *|так задумано|по замыслу",
        "duplicate": "дубликат*|дублир*|дубль|повтор",
    },
    "ja": {
        "won't fix": "修正しない*|修正しません|修正不要|修正予定なし|修正されません|対応しない*|対応しません|対応不要|対応なし|対応予定なし"
        "|実施しない*|実施しません|実行しない*|実行しません|行わない*|やらない*|予定なし",
        "cannot reproduce": "再現不可*|再現不能*|再現でき*ない*|再現できません*|再現せず|再現しない*|再現しません",
        "incomplete": "不完全*|未完了|情報不足*",
        "invalid": "無効*|バグではない*|バグではありません|不具合ではない*|問題なし|問題ではない*",
        "declined": "却下*|拒否*|辞退*|不採用|見送り",
        "cancelled": "キャンセル*|取消*|取り消し*|中止*",
        "obsolete": "廃止*|陳腐化",
        "works as designed": "仕様|仕様です|仕様通り*|仕様どおり*|設計通り*|設計どおり*",
        "duplicate": "重複*",
    },
    "ko": {
        "won't fix": "수정하지 *|수정 안 함|수정 안함|수정되지 않*|해결하지 *|해결 안 함|해결 안함|하지 않*|안 함|안함|진행하지 않*|수행하지 않*"
        "|수정 불가*|계획되지 않*|계획 없음",
        "cannot reproduce": "재현 불가*|재현불가*|재현할 수 없*|재현 안 됨|재현 안됨|재현되지 않*",
        "incomplete": "불완전*|미완성|정보 부족",
        "invalid": "유효하지 않*|무효*|버그 아님|버그가 아님|문제 아님",
        "declined": "거부*|거절*|반려*|기각*",
        "cancelled": "취소*|철회*",
        "obsolete": "폐기*|구식|더 이상 사용되지 않*",
        "works as designed": "설계대로*|설계된 대로*|의도된 *|의도한 *",
        "duplicate": "중복*",
    },
    "zh": {
        "won't fix": "不修*|不会修*|不會修*|不予修*|无法修*|無法修*|不解决|不解決|不予解决|不予解決|不处理|不處理|不予处理|不予處理|不会做|不會做"
        "|不做|不会执行|不會執行|不打算*|不计划*|未计划*|不會處理|不会处理",
        "cannot reproduce": "无法重现*|无法复现*|无法再现*|不能重现|不能复现|不能重新产生|不可重现|不可复现|無法重現*|無法復現*|無法再現*"
        "|不能重現|未重现|未复现",
        "incomplete": "不完整|未完成|信息不足|資訊不足|信息不完整",
        "invalid": "无效*|無效*|不是问题|不是問題|不是缺陷|非缺陷|不是bug|不是 bug|非问题",
        "declined": "拒绝*|已拒绝|被拒绝|拒絕*|已拒絕|驳回|已驳回|駁回|已駁回|谢绝",
        "cancelled": "取消*|已取消|撤销|已撤销|已撤回",
        "obsolete": "已过时|过时|已过期|已废弃|废弃|已過時|過時",
        "works as designed": "按设计*|设计如此|符合设计*|依設計*|如设计",
        "duplicate": "重复*|重複*|重覆*",
    },
}


def normal(text: str) -> str:
    """The text without case, accents, and differences between apostrophes, blanks and underscores."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_ALIKE))
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).split())


_ALIKE = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'") | {"_": " "})
_BY_NAME = {
    name: tuple(normal(word) for phrases in PHRASES.values() for word in phrases.get(name, "").split("|") if word)
    for name in sorted({name for phrases in PHRASES.values() for name in phrases})
}


@lru_cache(256)
def english(resolution: str) -> tuple[str, ...]:
    """The English names of resolutions with this meaning; none for one of another language, or that says that something was done."""
    return tuple(name for name, phrases in _BY_NAME.items() if fits(normal(resolution), phrases))


def means(resolution: str, standard: str, patterns: tuple[str, ...]) -> bool:
    """True if the resolution, or its English name, fits one of the patterns in any case. `standard` is the English name that the tracker's
    own id of the resolution stands for; empty where it has none."""
    names = (resolution, *([standard] if standard else []), *english(resolution))
    plain = tuple(pattern if searched(pattern) is not None else normal(pattern) for pattern in patterns)
    return any(fits(name, plain) or fits(normal(name), plain) for name in names)
