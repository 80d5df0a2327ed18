"""Units for systemd, made from those in deploy/ for where this syncd is installed and what its configuration asks for."""

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from syncd.config import Config, secrets
from syncd.config.values import CREDENTIALS

_WITHOUT_NETWORK = "RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any"


def service(config: Config | None, command: Sequence[str], part: str = "all") -> str:
    """`syncd.service` that runs `command`. `part` is `all`, `receiver` or `worker`; a receiver that needs no network of its own gets
    none. Without a configuration no credential is loaded."""
    text = _template("syncd.service")
    text = text.replace(_line(text, "ExecStart"), f"ExecStart={' '.join(map(_quoted, command))}")
    loaded = [f"LoadCredential={name}:{CREDENTIALS}/{name}" for name in _credentials(config, part)]
    if loaded:
        text = text.replace("UMask=0077\n", "UMask=0077\n" + "\n".join(loaded) + "\n")
    if part == "receiver" and (config is None or config.store.dialect == "sqlite"):
        text = text.replace(_line(text, "RestrictAddressFamilies"), _WITHOUT_NETWORK)
        # Its only way to the outside is the socket that systemd listens on.
        text = text.replace("[Unit]\n", "[Unit]\nRequires=syncd.socket\n")
    if part != "all":
        text = text.replace("Description=syncd:", f"Description=syncd {part}:")
    if part == "worker":
        text = text.replace("After=network-online.target syncd.socket", "After=network-online.target")
    return text


def activation(config: Config | None, part: str = "all") -> str:
    """`syncd.socket` that listens where the configuration says."""
    text = _template("syncd.socket")
    if config is not None:
        text = text.replace(_line(text, "ListenStream"), f"ListenStream={config.receiver.listen}")
    if part == "receiver":
        text = text.replace("NoDelay=yes\n", "NoDelay=yes\nService=syncd-receiver.service\n")
    return text


def _template(name: str) -> str:
    return _folder().joinpath(name).read_text(encoding="utf-8")


def _folder() -> Traversable:
    """Inside the package where it was installed; beside it in a checkout."""
    inside = files("syncd").joinpath("share", "deploy")
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "deploy"


def _line(text: str, key: str) -> str:
    found = re.search(rf"^{key}=.*$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the template has no {key}=")
    return found[0]


def _quoted(word: str) -> str:
    # systemd.service(5), "Command lines": quotes keep blanks, % begins a specifier, $ a variable.
    word = word.replace("%", "%%").replace("$", "$$")
    return (
        word if re.fullmatch(r"[\w@%+=:,./$-]+", word) else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _credentials(config: Config | None, part: str) -> list[str]:
    """The names of the credentials that a part needs: a receiver no tracker's, a worker not the webhook's."""
    if config is None:
        return []
    others = {"receiver": "trackers.", "worker": "receiver."}.get(part)
    named = {one.credential for key, one in secrets(config) if others is None or not key.startswith(others)}
    return sorted(name for name in named if name is not None)
