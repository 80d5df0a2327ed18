"""Bodies of answers as the types they are read as."""

import threading
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

# msgspec looks through a type when it first meets it, and runs Python code while it does; two threads that do so with the same types at
# the same time crashed the interpreter (msgspec 0.22.0, Python 3.11: `msgspec.json.decode(type=…)` in each of them).
_looking = threading.Lock()
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def decode(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """The body as `shape`; for any thread. Raises msgspec.MsgspecError, RecursionError."""
    with _looking:
        decoder = _decoders.get(shape)
        if decoder is None:
            decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    try:
        return cast(T, decoder.decode(body))
    except UnicodeDecodeError as error:  # msgspec before 0.23
        raise msgspec.DecodeError(str(error)) from None
