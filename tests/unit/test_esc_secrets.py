"""Secrets in the text of a definition: encrypting and decrypting them leaves everything else as it was."""

from __future__ import annotations

import pytest
import yaml

from esc.language import DefinitionError, LoadError, Source, decrypt_definition, encrypt_definition, open_environment
from esc.language.envelope import EnvelopeError, unwrap, wrap

NAME = "proj/env"


SALT = b"salt and pepper"


def encrypt(data: bytes) -> bytes:
    return SALT + bytes(byte ^ 0x55 for byte in data)


def decrypt(data: bytes) -> bytes:
    return bytes(byte ^ 0x55 for byte in data.removeprefix(SALT))


def refuse(name: str) -> Source:
    raise LoadError(name)


TIDY = """# what this is for
imports: [a/b]   # kept
values:
  token:
    fn::secret: hunter2 # who knows it
  # between
  other: "fn::secret: not a call"
  list:
    - fn::secret: in-a-list
    - 2
"""


def test_a_round_trip_gives_back_the_same_text() -> None:
    encrypted = encrypt_definition(NAME, TIDY, encrypt)
    assert "hunter2" not in encrypted
    assert "in-a-list" not in encrypted
    for kept in ("# what this is for", "[a/b]   # kept", "# who knows it", "  # between", '"fn::secret: not a call"'):
        assert kept in encrypted
    assert decrypt_definition(NAME, encrypted, decrypt) == TIDY


def test_stored_ciphertexts_stay_as_they_are() -> None:
    once = encrypt_definition(NAME, TIDY, encrypt)
    assert encrypt_definition(NAME, once, lambda data: b"never called" + data) == once


@pytest.mark.parametrize(
    ("written", "plaintext"),
    [
        ("fn::secret: plain words", "plain words"),
        ('fn::secret: "quoted: \\"x\\"\\n"', 'quoted: "x"\n'),
        ("fn::secret: 'single ''quoted'''", "single 'quoted'"),
        ("fn::secret: |\n      two\n      lines\n", "two\nlines\n"),
        ("fn::secret: >-\n      folded\n      text\n", "folded text"),
        ("fn::secret:\n      on the next line", "on the next line"),
        ("fn::secret: spread over\n      two lines", "spread over two lines"),
        ("fn::secret: ''", ""),
        ("fn::secret: '42'", "42"),
        ("fn::secret: 'true'", "true"),
        ("fn::secret: '.inf'", ".inf"),
        ("fn::secret: '😀 # not a comment'", "😀 # not a comment"),
        ('fn::secret: "\\x07\\e\\u2028\\x7f"', "\x07\x1b\u2028\x7f"),
        ("{fn::secret: in braces}", "in braces"),
        ("[{fn::secret: 'a]b'}]", "a]b"),
        ("? fn::secret\n    : explicit", "explicit"),
        ('"fn::secret": key in quotes', "key in quotes"),
    ],
)
def test_every_way_to_write_a_secret(written: str, plaintext: str) -> None:
    text = f"values:\n  emoji: 😀\n  it:\n    {written}\n  after: kept # too\n"
    encrypted = encrypt_definition(NAME, text, encrypt)
    assert plaintext not in encrypted or not plaintext
    decrypted = decrypt_definition(NAME, encrypted, decrypt)
    for version in (text, encrypted, decrypted):
        evaluation = open_environment(NAME, version, refuse, decrypter=decrypt)
        assert evaluation.diagnostics == []
        assert evaluation.environment is not None
        value = evaluation.environment.plain()["it"]
        assert (value[0] if isinstance(value, list) else value) == plaintext
        assert version.endswith("after: kept # too\n")
        assert yaml.safe_load(version)["values"]["after"] == "kept"


def test_malformed_secrets_are_left_to_the_check() -> None:
    text = "values:\n  a: {fn::secret: 42}\n  b: {fn::secret: [x]}\n  c: {fn::secret: x, other: y}\n"
    assert encrypt_definition(NAME, text, encrypt) == text


def test_only_values_are_decrypted() -> None:
    text = encrypt_definition(NAME, "notes: {fn::secret: x}\nvalues: {a: {fn::secret: y}}\n", encrypt)
    assert decrypt_definition(NAME, text, decrypt).startswith("notes: {fn::secret: {ciphertext: ")


def test_what_cannot_be_rewritten_says_why() -> None:
    with pytest.raises(DefinitionError, match="yaml"):
        encrypt_definition(NAME, "values: [", encrypt)
    with pytest.raises(DefinitionError, match=r"values\.a\S* invalid ciphertext"):
        decrypt_definition(NAME, "values: {a: {fn::secret: {ciphertext: AAAA}}}", decrypt)

    def wrong_key(_data: bytes) -> bytes:
        raise ValueError("another key")

    with pytest.raises(DefinitionError, match="another key"):
        decrypt_definition(NAME, f"values: {{a: {{fn::secret: {{ciphertext: {wrap(b'12345678')}}}}}}}", wrong_key)


def test_the_envelope_is_the_services() -> None:
    encrypted = unwrap("ZXNjeAAAAAHo9e705fKyKo30VQ==")
    assert bytes((byte + 128) % 256 for byte in encrypted) == b"hunter2"
    assert wrap(unwrap("ZXNjeAAAAAHo9e705fKyKo30VQ==")) == "ZXNjeAAAAAHo9e705fKyKo30VQ=="
    with pytest.raises(EnvelopeError, match="header"):
        unwrap("QUFBQUFBQUFBQUFBQUFBQUFB")
