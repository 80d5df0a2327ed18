"""Whether what looks like a private item is one: `token: ';'`, `pass 2`, `password: String` and `icon@2x.png` are none. Pure."""

import re
from collections.abc import Callable

# From an item, and what stands before and behind it: its beginning that is private, or "".
Judge = Callable[[str, str, str], str]

GAP = r"(?:[ _.-]|%20)?"  # between the parts of a name
# Names of what is secret under any circumstances, in the languages of people who write programs.
PASSWORD = (
    rf"pass{GAP}(?:word|wd|phrase|code)s?|passwort|kennwort|pwd|mot{GAP}de{GAP}passe|contrase(?:ñ|n|ny)a|senha|parol[aăeě]?|wachtwoord|l[öo]senord|has[łl]o|heslo|"
    rf"salasana|jelsz[óo]|[şs]ifre|adgangskode|passord|lozinka|geslo|slapta[žz]odis|kata{GAP}sandi|m[ậa]t{GAP}kh[ẩa]u|парол[ья]|парола|κωδικ[όο]ς|סיסמ[הא]|كلمة (?:المرور|السر)|"
    rf"पासवर्ड|รหัสผ่าน|密[码碼]|口令|パスワード|비밀번호|암호"
)
# Texts that stand where a secret would, and are none.
_EMPTY = frozenset(
    ["none", "null", "nil", "nullptr", "undefined", "true", "false", "yes", "no", "on", "off", "ok", "okay", "empty", "missing", "required", "invalid", "incorrect", "expired", "expires", "failed", "failure", "failing", "denied", "wrong", "unknown", "unset", "set", "not", "is", "was", "has", "have", "had", "must", "may", "can", "cannot", "could", "should", "will", "would", "be", "been", "being", "the", "a", "an", "in", "for", "of", "and", "or", "to", "with", "without", "at", "from", "by", "as", "if", "when", "while", "but", "than", "too", "this", "that", "revoked", "rejected", "error", "errors", "exception", "string", "unexpected", "expected", "length", "field", "value", "please", "enter", "your", "identifier", "eof", "end", "start", "begin", "got", "only", "contains", "does", "do", "did", "default", "authentication", "authorization", "never", "always", "already", "needs", "changed", "reset", "update", "updated", "type", "size", "count", "index", "position", "line", "column", "see", "use", "using", "used", "basic", "bearer", "digest", "character", "characters", "unauthorized", "forbidden", "optional", "disabled", "enabled", "accepted", "mismatch", "policy", "manager", "provider", "service", "response", "request", "validation", "permission", "passed", "pass", "fail", "skipped", "login", "user", "username", "email", "name", "host", "port", "server", "database", "db", "after", "before"]
)  # fmt: skip
_OF_TYPES = (
    r"String|Str|str|Text|char|Chars?|CharSequence|wchar_t|Bytes?|bytes|byte|u8|UInt8|Integer|int|long|Int\d*|Bool|Boolean|bool|boolean|Object|object|Any|any|Optional|Option|Data|"
    r"Number|number|void|auto|id|Error|Exception|Token|TokenKind|TokenType|Kind|Type|Node|Stream|Buffer|Ref|Ptr|Source|Reader|Impl|Builder|Factory|Handle|Info|View"
)
_NO_VALUE = re.compile(
    rf"""
    [&*]*(?:const\ |mut\ )?[\[(]?(?:[A-Za-z_]\w*(?:::|\.))*\w*(?:{_OF_TYPES})[?!*&\[]*(?:<.*)?  # a type
    |(?:[A-Za-z_]\w*:)+                                                                    # the rest of a selector
    |\(?[A-Za-z_][\w.]*(?:::|->|\().*                                                      # code
    |(?:\w+\.)*(?:self|this|args|argv|env|environ|config|options|opts|settings|req|request|params|props|state|ctx|context)(?:\.\w+)+
    |0x[0-9a-f]+|[+-]?\d{{1,3}}(?:[:.]\d+)*|\d{{1,5}}:\d+.*                                # a pointer, a number, a place
    |[|>][+-]?|\$\{{.*|\$[A-Z_]+|\$\(.*|%[\w(].{{0,16}}|%|\{{.*|[*x•.…_#-]+|\[.*|<.*|\(+             # a template, or masked
    |[/~\\].*|\w:[/\\].*|\w+\.(?:c|cc|cpp|cxx|h|hpp|rs|go|py|js|jsx|ts|tsx|java|kt|swift|m|mm|cs|rb|php|lua|scala)(?::.*)?  # a path
    """,
    re.VERBOSE,
)
_CODE_TOKEN = re.compile(
    r"(?:unexpected|invalid|illegal|bad|expected|next|current|last|previous|missing|unknown|lexer|parser?|syntax|end|first|each|reserved|cancellation)[ _-]?(?:\w+ )?tokens?\W{0,4}\Z"
    r"|\b(?:the|an?|your|this|that|its|no|some|any) (?:\w+ )?(?:tokens?|secrets?|credentials?|keys?):\s\Z"
    r"|public[ _]?key[ _]?token\W{0,4}\Z|[/\\][\w.-]{1,40}:\s?\Z|(?:^|[^\w])v?tokens?_?(?:type|kind|value|id|count)\W{1,4}\Z",
    re.IGNORECASE,
)
_TOKEN_NAME = re.compile(r"tokens?\W{1,4}\Z", re.IGNORECASE)
_COUNT = re.compile(
    r"v?\d+(?:[._-]\d+)*[a-z%]{0,3}\Z|\d+(?:st|nd|rd|th)\Z|(?:utf|sha|md|rc|aes|rsa|x|i|amd|arm|win|mp|h|base|http|ipv|tls|ssl|dx|gl|es)[_-]?\d+\Z",
    re.IGNORECASE,
)
_NAME_OF_A_PASSWORD = re.compile(f"{PASSWORD}|pass|pw|mdp", re.IGNORECASE)
_REDACTED = re.compile(r"<(?:token|user|email|ip|device)>")


def whole(item: str, before: str = "", after: str = "") -> str:  # noqa: ARG001 - a judge's signature
    return "" if item.endswith(">") and _REDACTED.search(item) else item


def assigned(item: str, before: str, after: str = "") -> str:  # noqa: ARG001
    """The value of a name that says it is secret."""
    core = item.rstrip(".!?")
    if not whole(item) or core.casefold() in _EMPTY or _NO_VALUE.fullmatch(core):
        return ""
    if _CODE_TOKEN.search(before) and (not _varied(core) or "public" in before.lower()):
        return ""
    if _TOKEN_NAME.search(before) and re.fullmatch(r"[A-Z_]+|\d{1,5}", core):
        return ""
    return item


def _varied(text: str) -> bool:
    """True for a text that looks like no word and no number."""
    if len(text) < 6 or _NO_VALUE.fullmatch(text) or _COUNT.match(text) or ("/" in text[:-1] and "." in text):
        return False
    letters, digits = any(map(str.isalpha, text)), any(map(str.isdigit, text))
    return letters and (digits or any(sign in "!@$%^" for sign in text))


def likely(item: str, before: str, after: str = "") -> str:  # noqa: ARG001
    """The value of a name that may mean something else."""
    return assigned(item, before) if _varied(item) else ""


def mixed(item: str, before: str, after: str = "") -> str:  # noqa: ARG001
    """The value next to a name, with nothing between them but a blank: `Token token1` is code."""
    plain = re.fullmatch(r"[A-Za-z_]+\d{1,2}", item) is not None and not _NAME_OF_A_PASSWORD.search(before)
    plain &= before[-1:] not in ("'", '"')
    named = re.search(r"(\w+)\W*\Z", before)
    repeated = named is not None and item.casefold().startswith(named[1].casefold()[-6:])
    return "" if plain or repeated else likely(item, before)


_NO_OWNER = ("user", "customer", "apple", "google", "it", "that", "what")
_SHARES = frozenset(["admin", "print", "ipc", "wsl", "netlogon", "sysvol", "users", "home", "profiles"])  # fmt: skip
_SHARED = frozenset(["public", "default", "shared", ".", "..", "all", "cdrom", "usb", "sd", "floppy", "disk"])  # fmt: skip
_NO_PERSON = frozenset(["root", "system", "administrator", "admin", "postgres", "nobody", "guest", "daemon", "www-data", "mysql", "sa", "user", "username", "anonymous", "self", "service", "unknown"])  # fmt: skip
_PARTICLES = frozenset(["van", "von", "de", "der", "den", "del", "la", "le", "di", "da", "dos", "el", "al", "bin", "st", "jr", "sr"])  # fmt: skip
_CONTINUES = frozenset(["and", "or", "to", "from", "in", "at", "on", "for", "with", "is", "was", "does", "did", "has", "have", "failed", "cannot", "could", "not", "no", "into", "as", "by", "than", "then", "but", "because", "error", "denied", "while", "when", "of", "a", "an", "the"])  # fmt: skip


def folder(item: str, before: str, after: str) -> str:
    """The name of a person in a path. A blank belongs to it where a separator or the path's quote ends it, or a name in capitals follows."""
    first, *more = item.split(" ")
    if first.casefold() in _SHARED or first.isdigit() or not whole(first):
        return ""
    is_closed = after[:1] in ("\\", "/") or (after[:1] in ("'", '"') and before.rfind(after[0]) > before.rfind("\n"))
    is_whole = is_closed and (len(more) == 1 or after[0] != "/")
    parts = [first.rstrip(".!?") if not more and not after else first]
    for part in more:
        is_name = part[:1].isupper() or part.casefold().rstrip(".") in _PARTICLES or parts[-1].endswith("\\")
        if not part[:1].isalpha() or "=" in part or part.casefold() in _CONTINUES or not (is_name or is_whole):
            break
        parts.append(part)
    return " ".join(parts)


def person(item: str, before: str, after: str) -> str:  # noqa: ARG001 - a judge's signature
    is_mail = "@" in item and "." in item.partition("@")[2]
    return "" if is_mail or item.casefold() in _NO_PERSON or item.isdigit() else assigned(item, before)


_FILES = frozenset(["js", "jsx", "ts", "tsx", "mjs", "cjs", "png", "jpg", "jpeg", "gif", "webp", "svg", "html", "htm", "css", "json", "xml", "so", "dll", "exe", "dylib", "cpp", "hpp", "cxx", "map", "wasm", "lua", "txt", "log", "yml", "yaml", "toml", "next", "beta", "alpha", "rc", "dev", "snapshot", "final"])  # fmt: skip


def mail(item: str, before: str, after: str) -> str:  # noqa: ARG001
    """An address; no file of twice the size, no script of a frame, no version of a package, no object or symbol of a library."""
    domain = (
        re.split(r"@|%40|[\[({<]\s?at\s?[\])}>]|\s+at\s+|_at_", item, flags=re.IGNORECASE)[-1].casefold().strip("[]")
    )
    is_package = re.match(r"v?\d+(?:\.\d+)+(?:[^.\d]|\Z)|v?\d+\.\d+\.[a-z]", domain) is not None and not re.fullmatch(
        r"\d+(?:\.\d+){3}", domain
    )
    is_symbol = domain in ("plt", "got", "gotpcrel", "gotoff", "localplt") or re.fullmatch(
        r"[0-9a-f]{4,16}|0x[0-9a-f]+", domain
    )
    return "" if domain.rpartition(".")[2] in _FILES or is_package or is_symbol else whole(item)


_VERSION = re.compile(
    r"(?:^|[^a-z])(?:(?:\w*version|build|release|ver|revision|rev)[\"']?[:=]{0,2} ?[\"'(]?|v[:=] ?)\Z|\b(?-i:[A-Z][A-Za-z]+)/\Z",
    re.IGNORECASE,
)


def address(item: str, before: str, after: str) -> str:
    """Four numbers behind a word for a version are one, and so are those of a build such as 1.2.3.4.g0123abc."""
    is_version = "." in item and (
        _VERSION.search(before) is not None or re.match(r"\.g?[0-9a-f]{6,}|\.[a-z]\w*\d", after) is not None
    )
    return "" if is_version or not any(map(str.isdigit, item)) else whole(item)


def hardware(item: str, before: str, after: str) -> str:  # noqa: ARG001
    """A hardware address: six pairs with one separator, and a letter."""
    separators = {sign for sign in item if not sign.isalnum()}
    return item if len(separators) == 1 and any(map(str.isalpha, item)) else ""


def device(item: str, before: str, after: str) -> str:  # noqa: ARG001
    return "" if item.casefold() in ("localhost", "nodename") else assigned(item, before)


def identifier(item: str, before: str, after: str) -> str:  # noqa: ARG001
    """The identifier of a device; `0x1f08` is the model of a graphics card."""
    return assigned(item, before) if len(item) >= 8 and any(map(str.isdigit, item)) else ""


def share(item: str, before: str, after: str) -> str:  # noqa: ARG001
    """The hidden share of a person, as in `\\\\server\\alice$`."""
    return "" if item.casefold() in _SHARES else item


def login(item: str, before: str, after: str) -> str:  # noqa: ARG001
    return "" if item == "git" else item


def owner(item: str, before: str, after: str) -> str:  # noqa: ARG001
    """A device with its owner's name, as in "Jane's phone"."""
    return "" if item.split("'")[0].casefold() in _NO_OWNER else item
