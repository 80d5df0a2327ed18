"""What private items look like, by kind: an expression that proposes them, and a judge that keeps what only looks like one. Pure.

Every expression is one of `patterns`: linear in the text, and so without look-around. What stands around a private item is read by
the expression and stays; only its group `x` is replaced. Where a name and its value may mean something else, as in `token: ';'`, `pass 2` or
`password: String`, the judge reads the value and at most BEFORE bytes in front of it.
"""

from dataclasses import dataclass

from syncd.core import judges
from syncd.core.judges import GAP, PASSWORD, Judge

BEFORE = 64  # bytes in front of an item that its judge reads
LONGEST_REFUSED = 96  # characters: a longer item is private, so that no text is read many times over


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of private item: the switch that removes it, its expression, its placeholder, and its judge."""

    switch: str
    pattern: str
    placeholder: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds, and a pattern that finds out whether any of them is there. One for all of them has more states than RE2 has memory for."""

    pattern: str
    kinds: tuple[Kind, ...]


# Names of what is secret under any circumstances. Those of passwords are in `judges`.
_KEYS = (
    rf"secret|token|jeton|credentials?|geheimnis|(?:api|access|auth|private|license|account|signing|encryption|decryption|master|shared|subscription|app|consumer|storage|service|"
    rf"secret|deploy|client|session|signature|websocket){GAP}key|api{GAP}pass|sess(?:ion)?{GAP}id"
)
_KEY = rf"(?:{PASSWORD}|{_KEYS}|[?&;](?:[\w-]*sig(?:nature)?|key|auth|code))(?:s|{GAP}(?:value|hash|str|b64|base64|plain|text|1|2|old|new))?"
# Names that mean something else as often: behind the beginning of a word, and their values must look like secrets.
_SHORT = (
    r"(?:^|[^\pL\pN]|-D)(?:(?:db|my|user|usr|admin|root|smtp|imap|ftp|sql|mysql|pg|pgsql|redis|mongo|ldap|ssh|wifi|mail|email|proxy|http|app|api|login|key|store|trust|master|old|new|test|"
    r"default|svc|service|client|server)[_.-]?)?(?:pass|pw|pws|mdp|auth|creds?|clave|pat|jwt|otp|totp|pin|sid|csrf|xsrf|licen[cs]e)"
)
_COUNTED = r"(?:^|[^\pL\pN])(?:pin|otp|totp|cvv|cvc|mfa|2fa)(?:[_. -]?code)?"
# Between a name and its value. A `:` before a `:` or a `=` alone belongs to a program, and so does a `->` without blanks.
_CLOSED = r"""["'\]*`]{0,4}"""
_IS = rf"{_CLOSED}\s{{0,8}}(?:[:=]{{0,2}}=>?|:|\s--?>\s|→)\s{{0,8}}"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9a-f]{1,4}"
_OPENED = r"""(?:[bru]?["'`]{1,4}|\*\*\s?)?"""
_VALUE = r"[^\s\"'`&;,)}\]:=\\>*][^\s\"'`&;,)}\]]*"


_ASSIGNED: tuple[tuple[str, Judge], ...] = (
    # In headers.
    (r"authorization[\"']?\s?,\s?[\"'](?P<x>[^\"'\r\n]+)", judges.whole),
    (rf"authorization{_IS}{_OPENED}(?:bearer|basic|token|negotiate|ntlm|apikey|hawk)\s{{1,4}}(?P<x>[^\s\"',;]+)", judges.whole),
    (rf"authorization{_IS}{_OPENED}(?P<x>(?:digest|aws4-hmac-sha256)\s[^\r\n]+|[\w-]+\s{{1,4}}[^\s\"',;]+|[^\s\"',;]+)", judges.assigned),
    (r"\bbearer\s{1,4}(?P<x>[\w.~+/=-]{16,})", judges.whole),
    (r"\bcookies?[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<x>[^\s:=\"'][^\r\n\"']*)", judges.whole),
    (r"\bx-hub-signature(?:-256)?[\"']?\s?[:=]\s?[\"']?(?P<x>[^\s\"']+)", judges.whole),
    # What is quoted may have everything but the quote.
    (rf"{_KEY}{_IS}[bru]?\"{{1,4}}(?P<x>[^\"\r\n]+)", judges.assigned),
    (rf"{_KEY}{_IS}[bru]?'{{1,4}}(?P<x>[^'\r\n]+)", judges.assigned),
    (rf"(?:{_KEY}|{_SHORT}){_IS}(?:0x[0-9a-f]+\s{{1,4}})[\"'](?P<x>[^\"'\r\n]+)", judges.whole),
    (rf"(?:{_KEY}|{_SHORT}){_CLOSED}\s?:\s{{0,4}}[|>][+-]?\s{{1,16}}(?P<x>[^\r\n]+)", judges.assigned),
    (rf"{_KEY}{_IS}{_OPENED}(?P<x>{_VALUE})", judges.assigned),
    (rf"{_KEY}=(?P<x>[:\]*][^\s\"'&;,)}}\]]+)", judges.assigned),
    (rf"{_SHORT}{_IS}{_OPENED}(?P<x>{_VALUE})", judges.likely),
    (rf"{_SHORT}{_IS}[\"'](?P<x>[^\"'\r\n]+)", judges.likely),
    (rf"{_COUNTED}{_IS}[\"']?(?P<x>[0-9]{{4,8}})\b", judges.whole),
    # In XML, property lists, objects, forms, and lists.
    (rf"<[\w:._-]*{_KEY}(?:\s[^<>]*)?>(?P<x>[^<>\r\n]+)</", judges.assigned),
    (r"<(?:[\w:._-]*[_.-])?(?:pw|pass|auth|mdp|creds?)>(?P<x>[^<>\r\n]+)</", judges.whole),
    (rf"<key>[^<>]*(?:{_KEY}|pw|pass|auth|mdp|creds?)</key>\s{{0,16}}<\w+>(?P<x>[^<>\r\n]+)</", judges.whole),
    (rf"(?:{_KEY}|{_SHORT})[\"'](?:\s?/?>|\s?,)?\s{{0,4}}(?:[\"']?(?:value|val|content|data)[\"']?\s?[=:]\s?)[\"'](?P<x>[^\"'\r\n]+)", judges.assigned),
    (rf"(?:name|key|id)=[\"'][^\"'<>\r\n]*(?:{_KEY}|pw|pass|auth|mdp|creds?)[\"'][^<>\"'\r\n]*>(?P<x>[^<>\r\n]+)</", judges.whole),
    (rf"name=\"[^\"\r\n]*(?:{_KEY}|pw|pass|auth|mdp|creds?)\"(?:\r?\n){{1,3}}(?P<x>[^\r\n]+)", judges.whole),
    (rf"(?:{_KEY}|{_SHORT})[\"']\s?,\s?[\"'](?P<x>[^\"'\r\n]+)[\"']", judges.mixed),
    # On a command line.
    (rf"(?:^|[^\pL\pN_-])--?[\w-]*{_KEY}(?:\s{{1,4}}[\"']?|[\"']\s?,\s{{0,4}}[\"'])(?P<x>[^\s\"'&;,)}}\]:=<>-][^\s\"'&;,)}}\]]*)", judges.assigned),
    (r"(?:^|[^\pL\pN_-])--?(?:[\w-]*[_-])?(?:pass|pw|auth|mdp|creds?)\s{1,4}[\"']?(?P<x>[^\s\"'&;,)}\]:=<>-][^\s\"'&;,)}\]]*)", judges.likely),
    (r"(?:^|\s)(?:-u|-U|--user|--proxy-user)[ =][\"']?[^\s:/\"']+:(?P<x>[^\s\"']+)", judges.whole),
    (r"\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|sshpass|docker login|podman login|helm registry login|oc login|net use)\s[^\r\n|]*?(?:-p\s?|/user:\S+\s)(?P<x>[^\s\"'-][^\s\"']*)", judges.assigned),
    (r"\b(?:thin:|(?:sqlplus|exp|imp|expdp|impdp|sqlldr|rman)\s(?:-\w+\s)?)[\w.]+/(?P<x>[^\s/@\"']+)@", judges.whole),
    # In addresses.
    (r"//[^\s/:@]*:(?P<x>[^\s/]+)@", judges.whole),
    (r"\b[a-z][a-z0-9+.-]*://(?P<x>[^\s/:@<>]{12,255})@", judges.whole),
    (r"(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2|hooks\.zapier\.com/hooks/catch)/(?P<x>[\w/@:-]+)", judges.whole),
    (r"\bsubmit\.backtrace\.io/[\w.-]+/(?P<x>[0-9a-f]{32,})", judges.whole),
    # Next to a name: what a person writes.
    (rf"(?:{_KEY}|{_SHORT}){_CLOSED}(?:\s{{1,8}}(?:(?:is|was|ist|war|est|es|to|of)\s{{1,4}})?[\"'`(\[]{{0,2}}|\s?\()(?P<x>[^\s\"'`&;,)}}\]:=<>(\\][^\s\"'`,;)}}\]]{{4,}})", judges.mixed),
)  # fmt: skip
# By their own look. The letters' case matters.
_LOOK = (
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas|rtr|ffct)-[\w-]{16,}|GR1348941[\w-]{16,}",
    r"(?:bot)?[0-9]{8,10}:AA[\w-]{30,}|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|amzn\.mws\.[0-9a-f-]{32,}|xox[abeoprs](?:\.xox[bp])?-[\w-]{10,}|xapp-[0-9]-[\w-]{20,}|xwfp-[\w-]{20,}",
    r"eyJ[\w-]{10,}(?:\.[\w-]*)*|[sprk]k_(?:live|test|prod)_[A-Za-z0-9]{16,}|sk-[\w-]{24,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}",
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[\w~.-]{31,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{32,}|hf_[A-Za-z0-9]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|AT(?:ATT|CTT)3[\w=-]{20,}|ATBB[A-Za-z0-9_=-]{24,}",
    r"whsec_[\w+/=]{16,}|do[opr]_v1_[0-9a-f]{32,}|(?:SK|AC)[0-9a-f]{32}\b|key-[0-9a-f]{32}\b|[0-9a-f]{32}-us[0-9]{1,2}\b|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[\w-]{22,}",
    r"dapi[0-9a-f]{32}|gl(?:sa|c)_[A-Za-z0-9_+/=]{28,}|hv[sbr]\.[\w-]{20,}|dckr_(?:pat|oat)_[\w-]{20,}|sntry[su]_[\w+/=-]{40,}|NRAK-[A-Z0-9]{20,}|NRJS-[0-9a-f]{16,}|PMAK-[0-9a-f]{24}-[0-9a-f]{30,}",
    r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}|ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}|rubygems_[0-9a-f]{40,}|cio[A-Za-z0-9]{32}\b|oy2[a-z0-9]{43}\b|tskey-[a-z]+-[\w-]{16,}|AGE-SECRET-KEY-1[0-9A-Z]{40,}",
    r"EAA[A-Za-z0-9]{80,}|figd_[\w-]{30,}|HRKU-[\w-]{30,}|dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]+\.)?[A-Za-z0-9]{40,}|sl\.(?:u\.)?[\w-]{100,}|[MNO][A-Za-z0-9_-]{22,27}\.[\w-]{6}\.[\w-]{27,}",
    r"pul-[0-9a-f]{40}|sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}|pscale_(?:tkn|pw|oauth)_[\w.=-]{30,}|CLOJARS_[0-9a-f]{60}|rdme_[a-z0-9]{60,}|fm[12][ar]?_[A-Za-z0-9+/=]{60,}|xai-[A-Za-z0-9]{60,}|gsk_[A-Za-z0-9]{40,}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{50,}|APA91b[\w-]{100,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|ops_eyJ[\w-]{100,}|SK[0-9a-f]{32}|r8_[A-Za-z0-9]{37}|CFPAT-[\w-]{40,}",
)  # fmt: skip
_SHAPED = (
    r"(?-i:(?P<x>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{20,}|glpat-[\w-]{16,}))",
    rf"(?-i:(?:^|[^A-Za-z0-9])(?P<x>{'|'.join(_LOOK)}))",
    r"(?P<x>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-{1,4}[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?)",
    r"(?P<x>-----BEGIN[A-Z0-9 ]*)\z",  # cut
    r"PuTTY-User-Key-File-[0-9](?P<x>:[^\x00]*?Private-MAC: ?[0-9a-f]+)",
)  # fmt: skip


_WORD = r"\pL\pN_"
_SLASH, _BACKSLASH, _COLON, _AT = r"(?:/|%2f)", r"(?:\\|/|%5c|%2f)", "(?::|%3a)", "(?:@|%40)"
_PART = r"(?:'\pL|[^/\s%\"':;,()<>]|%(?:[013-46-9a-f][0-9a-f]|2[0-9a-e]|5[0-9abd-f]))"  # of a folder's name, with escapes as in an address
_NAME = rf"{_PART}+(?: [^/\s%\"':;,()<>]+(?:'\pL[^/\s%\"':;,()<>]+)?){{0,3}}"
_WINDOWS_NAME = r"[^\\/%\r\n\"<>|:;,=+*?\[\]]{1,64}"
_MOUNTED = rf"(?:(?:private|var|export|usr|mnt|nfs|net|network|srv|data|vol|volumes)(?:{_SLASH}[^/\r\n%<>]+){{0,3}}?{_SLASH}|(?:cygdrive/|mnt/)?[a-z]/)?"
_PROFILES = r"(?:users|benutzer|winnt(?:\\|/)+profiles|docume~[0-9]|documents(?: |%20)and(?: |%20)settings|dokumente(?: |%20)und(?: |%20)einstellungen)"
_FOLDERS: tuple[tuple[str, Judge], ...] = (
    (rf"(?:\b|%[0-9a-f]{{2}})[a-z]{_COLON}{_BACKSLASH}+{_PROFILES}{_BACKSLASH}+(?P<x>{_WINDOWS_NAME})", judges.folder),
    (rf"(?:^|[^{_WORD}.]|%[0-9a-f]{{2}}){_SLASH}{_MOUNTED}(?-i:home|Users|run/media|media){_SLASH}+(?:\.{_SLASH}+)*(?P<x>{_NAME})", judges.folder),
    (rf"(?:^|[^{_WORD}.])/var/(?:spool/)?(?:mail|cron(?:/crontabs)?)/(?P<x>{_PART}+)", judges.folder),
    (rf"\b(?:file|smb|nfs|afp)://[^\s/]*/(?:[^\s/]+/)?(?-i:home|Users)/(?P<x>{_NAME})", judges.folder),
    (rf"\\\\[\w.$-]+\\+(?:[^\\\r\n\"'<>|]+\\+){{0,2}}(?:users|home|homes|profiles?\$?)\\+(?P<x>{_WINDOWS_NAME})", judges.folder),
    (r"\\\\[\w.-]+\\+(?P<x>\pL[\pL\pN_.-]+)\$\\", judges.share),
    (rf"(?:^|[\s\"'=:(])~(?P<x>\pL[{_WORD}.-]+)/", judges.folder),
)  # fmt: skip
_USER = r"(?:user|log[io]n|logon|account|benutzer|author|owner|real|full|first|last|nick|display)[ _.-]?name|nom d'utilisateur|nombre de usuario|user[ _.-]?id"
_PERSONS: tuple[tuple[str, Judge], ...] = (
    (r"\buid=[0-9]+\((?P<x>[^()\s]+)\)", judges.person),
    (rf"(?:^|[^{_WORD}.])(?-i:USER|LOGNAME|SUDO_USER|REMOTE_USER|LOGONUSER|USERDOMAIN)=[\"']?(?:[\w.-]+\\+)?(?P<x>{_VALUE})", judges.person),
    (rf"(?:{_USER}){_CLOSED}\s{{0,4}}(?:[:=]=?>?)\s{{0,4}}{_OPENED}(?:[\w.-]+\\+)?(?P<x>{_VALUE})", judges.person),
    (rf"<[\w:._-]*(?:{_USER})>(?P<x>[^<>\r\n]+)</", judges.person),
    (rf"(?:^|[^{_WORD}])(?:user|usr|login|uid)(?:\s?=\s?[\"']?|[\"']\s?(?::|=>)\s?[\"'])(?:[\w.-]+\\+)?(?P<x>{_VALUE})", judges.person),
    (rf"(?:^|[^{_WORD}-])--(?:user(?:name)?|login)[ =][\"']?(?P<x>[^\s\"'&;,)}}\]:=<>-][^\s\"'&;,)}}\]:]*)", judges.person),
    (rf"\b(?:ssh|sftp|scp|git\+ssh|smb|ftp|afp|vnc|rdp)://(?P<x>[{_WORD}.+-]+)@", judges.login),
)  # fmt: skip
_LOCAL = rf"[\pL\pN][{_WORD}\pM.+-]*"
_DOT = r"(?:\.|\[\.\]|\s?[\[({]dot[\])}]\s?)"
_MAILS: tuple[tuple[str, Judge], ...] = (
    (rf"(?P<x>\"[^\"\r\n@]+\"{_AT}[\pL\pN](?:[{_WORD}\pM-]*\.)+\pL+)", judges.mail),
    (rf"(?P<x>{_LOCAL}{_AT}[\pL\pN](?:[{_WORD}\pM-]*(?:\.|\[\.\]))+(?:xn--[a-z0-9-]+|\pL[\pL\pM]+))", judges.mail),
    (rf"(?P<x>{_LOCAL}{_AT}\[?{_OCTET}(?:\.{_OCTET}){{3}}\]?)", judges.mail),
    (rf"(?P<x>{_LOCAL}\s?[\[({{<]at[\])}}>]\s?[\pL\pN][{_WORD}-]*(?:{_DOT}[\pL\pN][{_WORD}-]*)*)", judges.mail),
    (rf"(?P<x>{_LOCAL}\s+at\s+[\pL\pN][{_WORD}-]*(?:\s+dot\s+[\pL\pN][{_WORD}-]*)+)", judges.mail),
    (rf"(?P<x>{_LOCAL}\s?{_AT}\s[\pL\pN](?:[{_WORD}-]*\.)+\pL{{2,}})", judges.mail),
    (rf"(?P<x>{_LOCAL}{_AT}(?:localhost|local|localdomain|intranet|intra|corp|internal|lan|home|mail|mailhost|mailserver|smtp|exchange))\b", judges.mail),
    (rf"(?:^|[^{_WORD}])(?P<x>{_LOCAL}_at_[\pL\pN-]+\.(?:com|org|net|edu|gov|io|dev|eu|de|fr|es|it|nl|uk|us|ca|jp|cn|ru|example))\b", judges.mail),
    (rf"mailto:(?P<x>{_LOCAL}{_AT}?[^\s\"'<>?&]*)", judges.mail),
    (rf"(?:e-?mail|\bmail|\bfrom|\bto|\bcc|\bbcc|sender|recipient|reply-to|rcpt)(?:[ _-]?addr(?:ess)?)?[\"']{{0,2}}\s?[:=]\s?[\"'<]{{0,2}}(?P<x>{_LOCAL}{_AT}[\pL\pN][{_WORD}.-]*)", judges.mail),
    (rf"\b(?:ssh|scp|sftp|rsync)\s(?:[^\s@]+\s){{0,4}}(?P<x>{_LOCAL}{_AT}[\pL\pN][{_WORD}.-]*)", judges.mail),
)  # fmt: skip
# Four numbers next to more numbers are a version.
_IPV4 = rf"(?:^|[^{_WORD}.-])(?:ip[_-])?(?P<x>{_OCTET}(?:(?:\.|\[\.\]){_OCTET}){{3}}(?:-{_OCTET}(?:\.{_OCTET}){{3}})?)(?:$|[^{_WORD}.-]|\.(?:$|[^0-9]))"
# A short form has at least three groups and a digit: `a::b` is a name in C++.
_IPV6 = (
    rf"(?:^|[^{_WORD}:.])(?P<x>(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{2,6}}(?::{_HEX}){{1,6}}|{_HEX}:(?::{_HEX}){{2,6}}|(?:f[cde]|[23][0-9a-f])[0-9a-f]{{2}}:(?::{_HEX}){{1,4}}|(?:{_HEX}:){{3,7}}:)"
    rf"(?:%[\w.]{{1,16}})?)(?:$|[^{_WORD}:])"
)
_ADDRESSES: tuple[tuple[str, Judge], ...] = (
    (_IPV4, judges.address),
    (r"\bip-(?P<x>[0-9]{1,3}(?:-[0-9]{1,3}){3})\b", judges.whole),
    (_IPV6, judges.address),
)
_PAIR = "[0-9a-f]{2}"
_IS_NAMED = rf"{_CLOSED}\s{{0,4}}(?:[:=]=?>?)\s{{0,4}}{_OPENED}"
_MAKES = "(?:iphone|ipad|ipod|imac|mac ?book(?: (?:pro|air))?|mac (?:mini|pro|studio)|galaxy|pixel|laptop|desktop|pc|computer|phone|tablet|surface|watch)"
_DEVICES: tuple[tuple[str, Judge], ...] = (
    (rf"(?:^|[^{_WORD}:.-])(?P<x>{_PAIR}(?:[:-]{_PAIR}){{5}}|[0-9a-f]{{4}}\.[0-9a-f]{{4}}\.[0-9a-f]{{4}})(?:$|[^{_WORD}:-])", judges.hardware),
    (rf"mac[ _.-]?(?:addr(?:ess)?)?{_IS_NAMED}(?P<x>[0-9a-f]{{12}})\b", judges.whole),
    (rf"(?:host|computer|machine|device|node|netbios|workstation)[ _.-]?name{_IS_NAMED}(?P<x>{_VALUE})", judges.device),
    (r"<[\w:._-]*(?:host|computer|machine|device)[ _.-]?name>(?P<x>[^<>\r\n]+)</", judges.device),
    (rf"(?:(?:device|machine|hardware|android|advertising|installation|install|vendor|client)[ _.-]?(?:unique[ _.-]?)?id(?:entifier)?|udid|imei|idf[av]|serial[ _.-]?(?:number|no)|(?:device|machine)[ _.-]?guid){_IS_NAMED}(?P<x>[\w{{-]{{8,64}})", judges.identifier),
    (r"\b(?-i:(?P<x>(?:DESKTOP|LAPTOP)-[A-Z0-9]{7,8}|WIN-[A-Z0-9]{11}))\b", judges.whole),
    (rf"\b(?P<x>[{_WORD}]+s?-(?-i:MacBook|iMac|Mac|iPhone|iPad|PC|Laptop)(?:-(?-i:Pro|Air|mini|Mini|Studio|[0-9]{{1,2}}))?(?:\.local|\.lan|\.home)?)(?:$|[^{_WORD}-])", judges.whole),
    (rf"\b(?P<x>\pL+'s? {_MAKES})\b", judges.owner),
    (r"\b(?P<x>(?-i:iPhone|iPad|MacBook(?: Pro| Air)?|iMac) (?:von|de|di|van|af|av) \pL+)", judges.whole),
)  # fmt: skip


def _kinds(switch: str, placeholder: str, table: tuple[tuple[str, Judge], ...]) -> tuple[Kind, ...]:
    return tuple(Kind(switch, f"(?i:{pattern})", placeholder, judge) for pattern, judge in table)


GROUPS = tuple(
    Group("|".join(kind.pattern.replace("(?P<x>", "(?:") for kind in kinds), kinds)
    for kinds in (
        _kinds("tokens", "<token>", _ASSIGNED),
        _kinds("tokens", "<token>", tuple((pattern, judges.whole) for pattern in _SHAPED)),
        (
            *_kinds("user_folders", "<user>", (*_FOLDERS, *_PERSONS)),
            *_kinds("emails", "<email>", _MAILS),
            *_kinds("ips", "<ip>", _ADDRESSES),
            *_kinds("devices", "<device>", _DEVICES),
        ),
    )
)
