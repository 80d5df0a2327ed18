"""The logins of the console: contradictions are errors that name the key and the remedy."""

from pathlib import Path

import pytest

from syncd import config
from syncd.errors import ConfigError
from tests.golden import golden

HEADER = 'trusted_header = "X-Forwarded-User"\n'
PROXIES = 'trusted_proxies = ["127.0.0.1"]\n'
FAULTS = {
    "a header without proxies": HEADER,
    "proxies without a header": PROXIES,
    "every address as a proxy": HEADER + 'trusted_proxies = ["0.0.0.0/0"]\n',
    "every address of IPv6 as a proxy": HEADER + 'trusted_proxies = ["::/0"]\n',
    "a proxy by its name": HEADER + 'trusted_proxies = ["proxy.example.com"]\n',
    "a network with a host in it": HEADER + 'trusted_proxies = ["10.1.2.3/24"]\n',
    "a header that browsers send": 'trusted_header = "Authorization"\n' + PROXIES,
    "a header that browsers add": 'trusted_header = "Sec-Fetch-User"\n' + PROXIES,
    "no name of a header": 'trusted_header = "X Forwarded User:"\n' + PROXIES,
    "a header and everybody": HEADER + PROXIES + "allow_unauthenticated = true\n",
    "operators without a header": 'operators = ["alice"]\n',
    "an operator with a comma": HEADER + PROXIES + 'operators = ["alice,bob"]\n',
    "groups of operators without their header": HEADER + PROXIES + 'operator_groups = ["sre"]\n',
    "an empty group": HEADER + PROXIES + 'groups_header = "X-Forwarded-Groups"\noperator_groups = [""]\n',
    "one header for names and groups": HEADER + PROXIES + 'groups_header = "x-forwarded-user"\n',
    "hosts without a header": 'hosts = ["syncd.example.com"]\n',
    "a URL as a host": HEADER + PROXIES + 'hosts = ["https://syncd.example.com"]\n',
    "a reader without an operator": 'reader_password = { env = "READER" }\n',
    "two logins with a name": 'password = { env = "A" }\nreader_username = "operator"\nreader_password = { env = "B" }\n',
    "beyond loopback": 'listen = "0.0.0.0:8081"\nreader_password = { env = "B" }\n',
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_contradiction_is_an_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[console]\n{FAULTS[name]}")
    with pytest.raises(ConfigError) as error:
        config.load(path)
    golden("config", f"console: {name}", "\n".join(error.value.problems).replace(str(path), "config.toml"))


def test_a_header_makes_a_password_needless_beyond_loopback(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[console]\nlisten = "0.0.0.0:8081"\n{HEADER}{PROXIES}reader_password = {{ env = "READER" }}\n')
    console = config.load(path).console
    assert console.trusted_header == "x-forwarded-user"
    assert [str(network) for network in console.proxies] == ["127.0.0.1/32"]
    assert [key for key, _ in config.secrets(config.load(path))] == ["console.reader_password"]
