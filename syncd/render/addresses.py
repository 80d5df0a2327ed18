"""The addresses of groups in the console. They are made of the identity alone, so that one in an issue outlives a store that is moved or restored,
and of characters that no proxy and no browser changes. Pure.
"""

import re
from urllib.parse import quote

from syncd.model import Identity

# Browsers resolve segments of dots, and proxies decode an encoded slash. The page's own JSON ends in .json.
_PLAIN = re.compile(r"(?!~)(?!.*\.json\Z)(?!\.+\Z)[\w .@:=-]{1,200}")
_ENCODED = re.compile(r"~((?:[0-9a-f]{2})*)")


def group_page(identity: Identity) -> str:
    """The path of the group's page."""
    return f"/groups/{segment(identity.universe)}/{segment(identity.project)}/{segment(identity.fingerprint)}"


def segment(text: str) -> str:
    """The text as one segment of a path: as it is if every character is harmless there, else `~` and its UTF-8 in hexadecimal digits."""
    if _PLAIN.fullmatch(text):
        return quote(text, safe="@:=")
    return f"~{text.encode('utf-8', 'surrogatepass').hex()}"


def text_of(segment: str) -> str:
    """The text of a segment whose percent signs are decoded already. A segment that `segment` did not make stands for itself."""
    encoded = _ENCODED.fullmatch(segment)
    if encoded is None:
        return segment
    try:
        return bytes.fromhex(encoded[1]).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return segment
