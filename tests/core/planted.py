"""Texts with one private item each, by chance and with a seed: an item x the name before it x what stands between x what stands around.

A quarter of the components is held out: expressions are written by looking at the texts of `tuning` only, and judged by those of `held`, each of which
has at least one component that no text of `tuning` has. All secrets are invented.
"""

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import quote

Part = Literal["tuning", "held"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planted:
    """A text, and the part of it that must not leave."""

    kind: str
    text: str
    secret: str


# Words of names of secrets.
NAMES = tuple(
    tuple(name.split())
    for name in ["password", "passwd", "passphrase", "passcode", "pwd", "db password", "user password", "admin password", "old password", "new password", "root passwd", "smtp pwd", "ftp password", "wifi password", "proxy password", "keystore password", "key password", "store passwd", "ldap bind password", "login password", "redis password", "pg password", "mysql pwd", "encryption passphrase", "ssh passphrase", "master password", "current password", "password hash", "secret", "client secret", "app secret", "consumer secret", "shared secret", "webhook secret", "jwt secret", "secret key", "signing secret", "cookie secret", "token", "access token", "refresh token", "auth token", "bearer token", "csrf token", "id token", "session token", "bot token", "deploy token", "github token", "npm token", "api token", "x auth token", "x vault token", "security token", "api key", "x api key", "access key", "secret access key", "private key", "signing key", "encryption key", "master key", "account key", "shared access key", "subscription key", "license key", "app key", "consumer key", "storage key", "service key", "credential", "session id", "session key", "api secret", "aws secret access key", "azure storage key", "passwort", "kennwort", "mot de passe", "contraseña", "contrasena", "senha", "wachtwoord", "lösenord", "hasło", "пароль", "heslo", "salasana", "jelszó", "şifre", "adgangskode", "passord", "密码", "密碼", "パスワード", "비밀번호", "mật khẩu", "kata sandi", "parola", "geheimnis passwort", "lozinka", "парола", "κωδικός", "סיסמה", "รหัสผ่าน", "pw", "db pw", "user pw", "db pass", "user pass", "smtp pass", "mysql pass", "admin pass", "pass", "auth", "mdp", "creds"]
)  # fmt: skip
SHORT = {"pw", "pass", "auth", "mdp", "creds"}
SPELLINGS: dict[str, Callable[[Sequence[str]], str]] = {
    "snake": "_".join,
    "SNAKE": lambda parts: "_".join(parts).upper(),
    "kebab": "-".join,
    "Kebab": lambda parts: "-".join(word.capitalize() for word in parts),
    "camel": lambda parts: parts[0] + "".join(word.capitalize() for word in parts[1:]),
    "Pascal": lambda parts: "".join(word.capitalize() for word in parts),
    "dotted": ".".join,
    "joined": "".join,
    "blank": " ".join,
    "Blank": lambda parts: " ".join(parts).capitalize(),
}
# With a word as a value; `{n}` is the name and `{v}` the value.
ASSIGNMENTS = (
    "{n}={v}", "{n} = {v}", "{n}: {v}", "{n}:{v}", "{n} : {v}", "{n}:={v}", "{n} := {v}", "{n} => {v}", "{n}=>{v}", "{n} -> {v}", "{n} == {v}",
    "{n} \u2192 {v}", '"{n}":"{v}"', '"{n}": "{v}"', "'{n}': '{v}'", '{n}="{v}"', "{n}='{v}'", '{n} = "{v}"', "{n}: '{v}'", '\\"{n}\\":\\"{v}\\"',
    '\\\\\\"{n}\\\\\\": \\\\\\"{v}\\\\\\"', "[{n}] => {v}", '["{n}"] = "{v}"', "['{n}'] = '{v}'", "**{n}**: {v}", "`{n}`: `{v}`", "{n}={v};Timeout=5",
    "?{n}={v}&x=1", "&{n}={v}", "<{n}>{v}</{n}>", '<add key="{n}" value="{v}"/>', '<string name="{n}">{v}</string>', "<key>{n}</key><string>{v}</string>",
    '<property name="{n}" value="{v}" />', '{{"name": "{n}", "value": "{v}"}}', '{{"key":"{n}","value":"{v}"}}', "--{n} {v}", "--{n}={v}", '--{n} "{v}"',
    "-D{n}={v}", "-{n} {v}", "export {n}={v}", "set {n}={v}", "$env:{n} = '{v}'", "{n}=0x7ffd5b2c \"{v}\"", "{n}: |\n    {v}", "{n}:\n  {v}",
    "&quot;{n}&quot;:&quot;{v}&quot;", "%22{n}%22%3A%22{v}%22", "{n}%3D{v}", 'name="{n}"\r\n\r\n{v}\r\n', "{n}={v}\n", "{n}\t=\t{v}", "{n} = r'{v}'",
    "{n}: b'{v}'", "${n} = '{v}';", "const {n} = '{v}'", "@{n}='{v}'", "{{{n}: {v}}}", "{{{n}={v}, other=1}}", "{n}::={v}",
)  # fmt: skip
# Whoever writes these may mean something else: the value must look like a secret.
LOOSE = (
    "{n} {v}", "{n}  {v}", "{n}\t{v}", '{n} "{v}"', "{n} '{v}'", "{n} is {v}", "{n} was {v}", "{n} is '{v}'", '("{n}", "{v}")', "['{n}', '{v}']",
    "{n} ({v})", "with {n} {v}", '"{n}","{v}"',
)  # fmt: skip
AROUND = (
    "{}", "{}", "{}", "error: {}", "{} failed", "cannot log in with {} at the server", "login({}) at auth.cpp:12", "[2026-11-25 07:00:01] WARN {}",
    "PATH=/usr/bin\n{}\nLANG=C", '{{"a": 1, {}}}', "({})", "{}, retry 3", "#3 0x00007f in connect ({}) from /usr/lib/libdb.so", "Caused by: X: {}",
    "url=https://a.example/b {}", "\u2014 {} \u2014", "<!-- {} -->", "{}\tend",
)  # fmt: skip
LETTERS = "abcdefghijkmnopqrstuvwxyz"
ALNUM = LETTERS + LETTERS.upper() + "0123456789"
HEXADECIMAL = "0123456789abcdef"
PEOPLE = (
    "zqalice",
    "zqbob",
    "zqjane.doe",
    "zq-carl",
    "ZQDora",
    "zq_emil",
    "zq.frank99",
    "zqмария",
    "zqjörg",
    "zqtanaka",
)
SURNAMES = ("Zqsmith", "Zqmüller", "van Zqdyk", "O'Zqneil", "Zqde la Cruz", "Zqnowak Jr")


def _of(chance: random.Random, signs: str, length: int) -> str:
    return "".join(chance.choice(signs) for _ in range(length))


def _value(chance: random.Random) -> str:
    """A secret that looks like one."""
    return chance.choice((
        lambda: f"zq{_of(chance, LETTERS, 5)}{chance.randrange(1, 99)}",
        lambda: f"Zq{_of(chance, ALNUM, 14)}7",
        lambda: f"zq{_of(chance, HEXADECIMAL, 38)}",
        lambda: f"Zq!{_of(chance, LETTERS, 4)}#{chance.randrange(10, 99)}$",
        lambda: f"zq{_of(chance, ALNUM, 30)}+/9==",
        lambda: f"Zq-{_of(chance, ALNUM, 6)}_{_of(chance, ALNUM, 6)}.9",
    ))()  # fmt: skip


def _word(chance: random.Random) -> str:
    return chance.choice(
        (f"zq{_of(chance, LETTERS, 7)}", f"Zq{_of(chance, LETTERS, 9)}", "zqверблюд", "zqcorrecthorse")
    )


# By vendor: the token's shape. Pieces joined here, so that no scanner takes this file for a leak.
VENDORS: dict[str, Callable[[random.Random], str]] = {
    "github": lambda c: c.choice(("ghp", "gho", "ghu", "ghs", "ghr")) + "_" + _of(c, ALNUM, 36),
    "github fine": lambda c: "github" + "_pat_" + _of(c, ALNUM, 22) + "_" + _of(c, ALNUM, 59),
    "gitlab": lambda c: c.choice(("glpat", "gldt", "glrt", "glptt", "glcbt", "glft", "glsoat", "glimt", "glagent")) + "-" + _of(c, ALNUM, 20),
    "aws": lambda c: c.choice(("AKIA", "ASIA")) + _of(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "google key": lambda c: "AI" + "za" + _of(c, ALNUM + "_-", 35),
    "google oauth": lambda c: "ya29" + "." + _of(c, ALNUM + "_-", 60),
    "google secret": lambda c: "GOC" + "SPX-" + _of(c, ALNUM + "_-", 28),
    "azure": lambda c: _of(c, ALNUM, 3) + "8Q~" + _of(c, ALNUM + "_~.-", 33) + "x",
    "azure storage": lambda c: "AccountKey=" + _of(c, ALNUM + "+/", 86) + "==",
    "azure sas": lambda c: "https://a.blob.core.windows.net/c?sv=2024-11-04&sig=" + _of(c, ALNUM, 40) + "%3D",
    "slack": lambda c: c.choice(("xoxb", "xoxp", "xoxa", "xoxr", "xoxs")) + "-" + _of(c, "0123456789", 12) + "-" + _of(c, ALNUM, 24),
    "slack app": lambda c: "xapp" + "-1-" + _of(c, "ABCDEFG0123456789", 11) + "-" + _of(c, "0123456789", 13) + "-" + _of(c, HEXADECIMAL, 40),
    "slack hook": lambda c: "https://hooks.slack.com/services/T" + _of(c, "ABCDEF012345", 9) + "/B1/" + _of(c, ALNUM, 24),
    "discord hook": lambda c: "https://discord.com/api/webhooks/1/" + _of(c, ALNUM, 60),
    "discord": lambda c: "M" + _of(c, ALNUM, 23) + "." + _of(c, ALNUM, 6) + "." + _of(c, ALNUM, 27),
    "teams hook": lambda c: "https://x.webhook.office.com/webhookb2/" + _of(c, HEXADECIMAL, 32),
    "stripe": lambda c: c.choice(("sk", "rk", "pk")) + "_" + c.choice(("live", "test")) + "_" + _of(c, ALNUM, 24),
    "stripe hook": lambda c: "whsec" + "_" + _of(c, ALNUM, 32),
    "npm": lambda c: "npm" + "_" + _of(c, ALNUM, 36),
    "pypi": lambda c: "pypi" + "-AgEI" + _of(c, ALNUM + "_-", 60),
    "jwt": lambda c: "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiI" + _of(c, ALNUM, 30) + "." + _of(c, ALNUM + "_-", 43),
    "pem": lambda c: "-----BEGIN " + c.choice(("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ")) + "PRIVATE KEY-----\n" + _of(c, ALNUM + "+/", 64) + "\n" + _of(c, ALNUM, 20) + "==\n-----END",
    "atlassian": lambda c: "ATATT3" + "xFfGF0" + _of(c, ALNUM + "_-", 170) + "=" + _of(c, "0123456789ABCDEF", 8),
    "bitbucket": lambda c: c.choice(("ATBB", "ATCTT3")) + _of(c, ALNUM, 32),
    "twilio": lambda c: c.choice(("SK", "AC")) + _of(c, HEXADECIMAL, 32),
    "sendgrid": lambda c: "SG" + "." + _of(c, ALNUM, 22) + "." + _of(c, ALNUM, 43),
    "mailgun": lambda c: "key-" + _of(c, HEXADECIMAL, 32),
    "mailchimp": lambda c: _of(c, HEXADECIMAL, 32) + "-us12",
    "telegram": lambda c: _of(c, "123456789", 10) + ":AA" + _of(c, ALNUM + "_-", 33),
    "openai": lambda c: c.choice(("sk-", "sk-proj-", "sk-ant-api03-")) + _of(c, ALNUM, 48),
    "hugging face": lambda c: "hf" + "_" + _of(c, ALNUM, 34),
    "digitalocean": lambda c: c.choice(("dop", "doo", "dor")) + "_v1_" + _of(c, HEXADECIMAL, 64),
    "shopify": lambda c: c.choice(("shpat", "shpca", "shppa", "shpss")) + "_" + _of(c, HEXADECIMAL, 32),
    "square": lambda c: "sq0" + c.choice(("atp", "csp")) + "-" + _of(c, ALNUM, 43),
    "databricks": lambda c: "dapi" + _of(c, HEXADECIMAL, 32),
    "grafana": lambda c: c.choice(("glsa", "glc")) + "_" + _of(c, ALNUM, 40),
    "vault": lambda c: "hvs" + "." + _of(c, ALNUM, 24),
    "docker": lambda c: "dckr" + "_pat_" + _of(c, ALNUM, 27),
    "sentry": lambda c: "sntrys" + "_" + _of(c, ALNUM, 60),
    "sentry dsn": lambda c: "https://" + _of(c, HEXADECIMAL, 32) + "@o1.ingest.example/1",
    "new relic": lambda c: "NRAK-" + _of(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 27),
    "postman": lambda c: "PMAK-" + _of(c, HEXADECIMAL, 24) + "-" + _of(c, HEXADECIMAL, 34),
    "linear": lambda c: "lin_api_" + _of(c, ALNUM, 40),
    "notion": lambda c: "ntn_" + _of(c, ALNUM, 46),
    "rubygems": lambda c: "rubygems" + "_" + _of(c, HEXADECIMAL, 48),
    "tailscale": lambda c: "tskey-auth-" + _of(c, ALNUM, 12) + "-" + _of(c, ALNUM, 32),
    "age": lambda c: "AGE-SECRET-KEY-1" + _of(c, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "facebook": lambda c: "EAA" + "CEdEose0cBA" + _of(c, ALNUM, 90),
    "figma": lambda c: "figd" + "_" + _of(c, ALNUM, 40),
    "heroku": lambda c: "HRKU-" + _of(c, ALNUM, 60),
    "doppler": lambda c: "dp.pt." + _of(c, ALNUM, 43),
    "dropbox": lambda c: "sl." + _of(c, ALNUM + "_-", 135),
    "backtrace": lambda c: "https://submit.backtrace.io/acme/" + _of(c, HEXADECIMAL, 64) + "/json",
}  # fmt: skip
BESIDE_TOKENS = (
    "{}",
    "x {} y",
    "'{}'",
    "({})",
    "key={}",
    "Bearer {}",
    "https://x.example/?a={}",
    "[{}]",
    "\n{}\n",
    "a:{}",
    "|{}|",
    "`{}`",
    "{},b",
    "env {}",
    '"{}"',
    "<{}>",
    "{};",
)

HEADERS = (
    "Authorization: Bearer {v}", "authorization: Basic {v}", "Authorization: token {v}", "Authorization: {v}", '"Authorization": "Bearer {v}"',
    "authorization=Bearer {v}", "-H 'Authorization: Bearer {v}'", "Proxy-Authorization: Basic {v}", "X-Api-Key: {v}", "X-Auth-Token: {v}", "PRIVATE-TOKEN: {v}",
    "Ocp-Apim-Subscription-Key: {v}", "Cookie: sid={v}", "Set-Cookie: id={v}; HttpOnly", "X-Amz-Security-Token: {v}", "X-CSRF-Token: {v}", "X-Vault-Token: {v}",
    "Authorization: ApiKey {v}", "Authorization: Digest username=\"u\", response=\"{v}\"", "X-Goog-Api-Key: {v}", "JOB-TOKEN: {v}", "api-key: {v}",
    "Authorization: AWS4-HMAC-SHA256 Credential=A/2026/eu/s3/aws4_request, SignedHeaders=host, Signature={v}", "Sec-WebSocket-Key: {v}", "X-Shopify-Access-Token: {v}",
    "(\"authorization\", \"Bearer {v}\")", "headers={{'authorization': 'Bearer {v}'}}", "X-Hub-Signature-256: sha256={v}", "Authorization: Negotiate {v}", "Cookie: a=1; b={v}",
)  # fmt: skip
LOGINS = (
    "https://bob:{v}@host/x", "postgresql://app:{v}@db/x", "redis://:{v}@cache:6379/0", "mongodb+srv://app:{v}@c.example/x", "amqp://guest:{v}@mq", "ftp://u:{v}@h/",
    "curl -u bob:{v} https://x", "curl --user bob:{v} https://x", "wget --password={v} x", "mysql -u root -p{v} db", "sshpass -p {v} ssh x", "mysqldump -uroot -p{v}",
    "jdbc:oracle:thin:scott/{v}@//host:1521/x", "jdbc:mysql://h/d?user=a&password={v}", "Server=db;User Id=sa;Password={v};", "Data Source=x;Pwd={v};Encrypt=yes",
    "host=db user=app password={v} dbname=x", "smtp://u:{v}@mail:587", "git clone https://x-access-token:{v}@git.example/a", "docker login -u bob -p {v}",
    "https://{v}secretpart@host/x", "//npm.example/:_authToken={v}", "machine h login u password {v}", "PGPASSWORD={v} psql", "net use z: \\\\s\\x /user:bob {v}", "sqlplus scott/{v}@orcl",
    "http_proxy=http://u:{v}@proxy:3128", "ldap://cn=a:{v}@h", "sftp://bob:{v}@h:22/x", "AccountName=a;AccountKey={v};EndpointSuffix=x", "SharedAccessKey={v}", "Uid=a;Pwd='{v}'",
)  # fmt: skip
FOLDERS = (
    "/home/{u}/x", "/home/{u}", "/Users/{u}/Library/x", "C:\\Users\\{u}\\x", "C:\\\\Users\\\\{u}\\\\x", "c:/users/{u}/x", "file:///home/{u}/x", "/mnt/c/Users/{u}/x",
    "\\\\server\\home\\{u}\\x", "\\\\srv\\share\\Users\\{u}\\x", "D:\\Documents and Settings\\{u}\\x", "C:\\Dokumente und Einstellungen\\{u}\\x", "/var/home/{u}/x",
    "/export/home/{u}/x", "%2Fhome%2F{u}%2Fx", "C%3A%5CUsers%5C{u}%5Cx", "/media/{u}/usb", "/run/media/{u}/x", "'/home/{u}'", '"C:\\Users\\{u}"', "HOME=/home/{u}", "cwd: /Users/{u}",
    "USERPROFILE=C:\\Users\\{u}", "\\\\?\\C:\\Users\\{u}\\x", "\\??\\C:\\Users\\{u}\\x", "/c/Users/{u}/x", "/cygdrive/c/Users/{u}/x", "C:\\WINNT\\Profiles\\{u}\\x", "file:///C:/Users/{u}/x",
    "/usr/home/{u}/x", "~{u}/x", "/var/mail/{u}", "/var/spool/cron/{u}", "\\\\fs\\profiles$\\{u}\\x", "\\\\fs\\{u}$\\x", "/Volumes/Data/Users/{u}/x", "\\/home\\/{u}\\/x", "smb://srv/home/{u}/x",
    "C:\\Benutzer\\{u}\\x", "/Network/Servers/s/Users/{u}/x",
)  # fmt: skip
BLANK_FOLDERS = (
    "/home/{u}/x", "/Users/{u}/Library/x", "C:\\Users\\{u}\\x", "'/home/{u}'", '"/Users/{u}"', "C:\\\\Users\\\\{u}\\\\x", "\\\\srv\\share\\Users\\{u}\\x", "c:/users/{u}/x",
    "\\\\server\\home\\{u}\\x", "open /Users/{u}/a.txt: no", "D:\\Documents and Settings\\{u}\\x", "file:///Users/{u}/x", "HOME=/Users/{u}\nLANG=C", '{{"home": "/home/{u}"}}',
)  # fmt: skip
PERSONS = (
    "USER={u}", "USERNAME={u}", "LOGNAME={u}", "SUDO_USER={u}", "username={u}", '"username": "{u}"', "user_name: {u}", "userName={u}", "User Name: {u}", '"user":"{u}"', "--user {u}",
    "--username={u}", "uid=1000({u}) gid=1000", "login={u}", "Benutzername: {u}", "User Id={u};", "<username>{u}</username>", "user='{u}'", "ssh://{u}@host/x", "account_name={u}",
    "USERDOMAIN=CORP\\{u}", "loginName: '{u}'",
)  # fmt: skip
MAILS = (
    "{u}@corp.example", "{u}@mail.corp.example", "{u}%40corp.example", "mailto:{u}@corp.example", "<{u}@corp.example>", "{u}@localhost", "mailto:{u}@mailhost", "email={u}@intranet",
    "From: {u}@exchange", "{u} [at] corp [dot] example", "{u}(at)corp.example", "{u} at corp dot example", "{u}[at]corp.example", "{u}@[10.1.2.3]", "ssh {u}@buildhost", '"{u}@corp.example"',
    "To: <{u}@mailhost>", "{u}@xn--mller-kva.example", "{u}@corp.museum", "{u} @ corp.example", "{u}@corp,example", '"e-mail": "{u}@host"', "{u}@host.local", "{u}\\u0040corp.example", "{u}&#64;corp.example",
    "scp x {u}@files:/x", "{u} (at) corp (dot) example", "{u}@corp[.]example", "{u}{{at}}corp.example", "{u}_at_corp.example",
)  # fmt: skip
ADDRESSES = (
    "connect to {a} failed", "{a}", "{a}:8080", "http://{a}/x", "from {a}, to b", "[{a}]", "host={a}", '"ip":"{a}"', "peer={a}:443", "({a})", "{a}/24", "ssh root@{a}", "Remote: {a}.", "ip:{a}", "tcp://{a}:5",
    "localhost/{a}:80", "/{a}:443", "addr={a};", "{a} - - [25/Nov/2026]", "X-Forwarded-For: {a}", "<{a}>", "client {a} closed",
)  # fmt: skip
ADDRESSES_6 = (
    "connect to {a} failed",
    "{a}",
    "[{a}]:8080",
    "http://[{a}]/x",
    "from {a}, to b",
    '"ip":"{a}"',
    "{a}%eth0",
    "({a})",
    "{a}/64",
    "Remote: {a}.",
    "addr={a};",
    "inet6 {a} scope",
)
MACS = ("{a}", "ether {a} txqueuelen", "mac={a}", '"mac":"{a}"', "HWaddr {a}", "({a})", "address {a}.", "wlan0/{a}")
DEVICES = (
    "hostname={d}", "HOSTNAME={d}", '"hostname": "{d}"', "COMPUTERNAME={d}", "computer_name: {d}", "machineName={d}", "device_name={d}", "Device Name: {d}", "deviceName=\"{d}\"", "host name: {d}",
    "<hostname>{d}</hostname>", "device.name={d}",
)  # fmt: skip
NAMES_OF_DEVICES = ("zq-buildbox", "ZQWORK01", "zqs-laptop", "zqprinter7")
OWN_LOOK = (
    lambda c: "DESKTOP-" + "Z" + _of(c, "ABCDEFGHJK0123456789", 6), lambda c: "LAPTOP-" + "Z" + _of(c, "ABCDEFGHJK0123456789", 7), lambda c: "Zqjanes-MacBook-Pro.local",
    lambda c: "Zqjane's iPhone", lambda c: "Zqjane\u2019s MacBook Air", lambda c: "iPhone von Zqjane", lambda c: "Zqjanes-iPad", lambda c: "WIN-" + _of(c, "ABCDEFGHJK0123456789", 11),
)  # fmt: skip
IDS = (
    "device_id={d}", '"deviceId":"{d}"', "udid: {d}", "IMEI: {d}", "serial_number={d}", "android_id={d}", "machine_id={d}", "advertisingId={d}", "installation_id: {d}", "hardware-id={d}", "idfa={d}", "Serial Number: {d}",
    "DeviceUniqueIdentifier={d}",
)  # fmt: skip


def held(component: object) -> bool:
    """True for the quarter of the components that no text of `tuning` has."""
    return zlib.crc32(f"q{component}".encode()) % 4 == 0


class _Chooser:
    """Chooses components of one part; notes whether one of them is held out."""

    def __init__(self, chance: random.Random, part: Part) -> None:
        self.chance, self.part, self.any_held = chance, part, False

    def of(self, components: Sequence[T]) -> T:
        chosen = self.chance.choice(
            [each for each in components if self.part == "held" or not held(each)] or list(components)
        )
        self.any_held |= held(chosen)
        return chosen


def _named(choose: _Chooser) -> Planted:
    chance, parts = choose.chance, choose.of(NAMES)
    spelling = choose.of(tuple(SPELLINGS))
    if len(parts) == 1 and spelling in ("blank", "dotted", "joined"):
        spelling = "snake"
    name, loose = SPELLINGS[spelling](parts), chance.random() < 0.2
    weak = parts[-1] in SHORT or loose
    form, value = choose.of(LOOSE if loose else ASSIGNMENTS), _value(chance)
    if not weak and chance.random() < 0.25:
        value = _word(chance)
    if "%22" in form or "%3D" in form:
        name, value = quote(name), quote(value, safe="")
    if " " in name and ("<" in form or "-" in form or "$" in form):
        name = "_".join(parts)
    kind = "loose" if loose else "short" if weak else "named"
    return Planted(kind, choose.of(AROUND).format(form.format(n=name, v=value)), value)


def _vendor(choose: _Chooser) -> Planted:
    vendor = choose.of(tuple(VENDORS))
    token = VENDORS[vendor](choose.chance)
    secret = token[11:-2] if "Key=" in token else token.rstrip("=")[-20:] if "json" not in token else token[-20:-5]
    if vendor == "sentry dsn":
        secret = token[8:40]
    if vendor == "pem":
        secret = token.split("\n")[1]
    return Planted("vendor", choose.of(BESIDE_TOKENS).format(token), secret)


def _filled(
    kind: str, forms: Sequence[str], value: Callable[[random.Random], str], around: bool = True
) -> Callable[[_Chooser], Planted]:
    def make(choose: _Chooser) -> Planted:
        form, secret = choose.of(forms), value(choose.chance)
        text = form.format(v=secret, u=secret, a=secret, d=secret)
        return Planted(kind, choose.of(AROUND).format(text) if around else text, secret)

    return make


def _four(chance: random.Random) -> str:
    return f"{chance.choice((10, 172, 192, 203, 52, 81, 8, 100))}." + ".".join(
        str(chance.randrange(1, 255)) for _ in range(3)
    )


def _six(chance: random.Random) -> str:
    groups = [f"{chance.randrange(16, 65536):x}" for _ in range(6)]
    return chance.choice(
        (
            f"2001:db8:{':'.join(groups)}",
            f"fe80::{':'.join(groups[:4])}",
            f"2a02:{groups[0]}:{groups[1]}::1",
            f"fd12:{groups[0]}::{groups[1]}",
        )
    )


def _mac(chance: random.Random) -> str:
    pairs = ["a" + _of(chance, HEXADECIMAL, 1), *(_of(chance, HEXADECIMAL, 2) for _ in range(5))]
    text = chance.choice((":".join(pairs), "-".join(pairs), ".".join("".join(pairs[at : at + 2]) for at in (0, 2, 4))))
    return text.upper() if chance.random() < 0.5 else text


def _person(chance: random.Random) -> str:
    return f"{chance.choice(PEOPLE)}{chance.choice(('', '', chance.randrange(9)))}"


def _own_look(choose: _Chooser) -> Planted:
    name = choose.chance.choice(OWN_LOOK)(choose.chance)
    secret = next((part for part in ("Zqjanes", "Zqjane") if part in name), name)
    return Planted("device name", choose.of(AROUND).format(f"on {name}"), secret)


def _blank_folder(choose: _Chooser) -> Planted:
    chance = choose.chance
    secret = chance.choice(SURNAMES)
    form = choose.of(BLANK_FOLDERS)
    return Planted(
        "folder with a blank", choose.of(AROUND[:4]).format(form.format(u=f"{chance.choice(PEOPLE)} {secret}")), secret
    )


MAKERS: dict[str, Callable[[_Chooser], Planted]] = {
    "named": _named,
    "vendor": _vendor,
    "header": _filled("header", HEADERS, lambda c: f"zq{_of(c, ALNUM, 22)}9"),
    "login": _filled("login", LOGINS, lambda c: f"zq{_of(c, ALNUM, 7)}9"),
    "folder": _filled("folder", FOLDERS, _person),
    "folder with a blank": _blank_folder,
    "person": _filled("person", PERSONS, _person),
    "mail": _filled("mail", MAILS, _person),
    "address": _filled("address", ADDRESSES, _four, around=False),
    "address of 6": _filled("address of 6", ADDRESSES_6, _six, around=False),
    "mac": _filled("mac", MACS, _mac, around=False),
    "device": _filled("device", DEVICES, lambda c: c.choice(NAMES_OF_DEVICES)),
    "device name": _own_look,
    "device id": _filled("device id", IDS, lambda c: _of(c, HEXADECIMAL, 15) + "7"),
}  # fmt: skip


def planted(seed: int, part: Part, count: int) -> Iterator[Planted]:
    """`count` texts of each maker; those of "named" three times as many."""
    for kind, make in MAKERS.items():
        chance, made = random.Random(f"{seed} {part} {kind}"), 0
        while made < count * (3 if kind == "named" else 1):
            choose = _Chooser(chance, part)
            item = make(choose)
            if choose.any_held == (part == "held"):
                made += 1
                yield item
