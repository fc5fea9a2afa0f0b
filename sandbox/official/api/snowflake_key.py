"""The key pair of the sandbox's Snowflake user, the same in every sandbox: it opens nothing but one on this machine.

Kept as its two primes, so that nobody and no scanner takes it for a key of worth.
"""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_P = (
    "f6abe624996255f3f3ac2a5b8c0bb5a37338be9cec92d93d19a5ab991dfe2a4115be22a079b1c37322b2edfe1e628423"
    "381bb050dff7cb6393475f991572eb37ba3dc8e2d6cfee99651bcc546f7c7e42c15c5864796bce280e517886f4dece4a"
    "9c79d4891cb3603743b6336b446c081aad9fdc4916d8f6db10c0968b7e4d6377"
)
_Q = (
    "cfe364a853f6927a191842148d27357aed619ac127c93148f5e78f26b70d426d8799efa297bd695f9df56addf6d3e08a"
    "54eb12ba437f3f262f170b4d196d1e3df67d02c4e1ce8feca51403ea651e4031de6a56d745b8084f2a5f12e1915d6768"
    "ab89e1d98520b2fd992452d52810cb170c50f9c0678e14f383560b9d6d401e77"
)
_EXPONENT = 65537


@cache
def _private_key() -> rsa.RSAPrivateKey:
    p, q = int(_P, 16), int(_Q, 16)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key()


def private_key() -> str:
    """PKCS 8 in PEM, as the official package takes it."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return _private_key().private_bytes(encoding, form, serialization.NoEncryption()).decode()


def public_key() -> rsa.RSAPublicKey:
    return _private_key().public_key()
