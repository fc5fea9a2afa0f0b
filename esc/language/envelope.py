"""How encrypted secrets are wrapped in a stored definition.

``escx``, a version (4 bytes), the encrypted bytes, a CRC-32 of all before it (4 bytes); numbers big-endian; the whole
in base64.
"""

from __future__ import annotations

import base64
import zlib

from esc.language.codec import CodecError, decode_base64

_MAGIC = b"escx"
_VERSION = 1
_SMALLEST = 16


class EnvelopeError(ValueError):
    """A text that is not a wrapped secret; the message says why."""


def wrap(encrypted: bytes) -> str:
    body = _MAGIC + _VERSION.to_bytes(4, "big") + encrypted
    return base64.b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode()


def unwrap(text: str) -> bytes:
    """The encrypted bytes. Raises EnvelopeError."""
    try:
        envelope = decode_base64(text)
    except CodecError as error:
        raise EnvelopeError(str(error)) from error
    if len(envelope) < _SMALLEST:
        raise EnvelopeError("EOF")
    if not envelope.startswith(_MAGIC):
        raise EnvelopeError("invalid header")
    if zlib.crc32(envelope[:-4]) != int.from_bytes(envelope[-4:], "big"):
        raise EnvelopeError("invalid checksum")
    if int.from_bytes(envelope[4:8], "big") != _VERSION:
        raise EnvelopeError("unsupported version")
    return envelope[8:-4]
