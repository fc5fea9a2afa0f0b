"""What looks like a secret in plain text: the vendors' own shapes, names that promise a secret, and text without a pattern.

The shapes are those that vendors publish so that scanners find leaked credentials. Nothing that is found is ever shown.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter

_SHAPES: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a Slack token", r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    ("a Slack app token", r"\bxapp-\d-[A-Za-z0-9-]{10,}"),
    ("a Slack webhook", r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{16,}"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("a GitLab token", r"\bgl(?:pat|ptt|rt|dt|oas)-[A-Za-z0-9_-]{16,}"),
    ("an OpenAI, Anthropic or OpenRouter key", r"\bsk-(?:[a-z]+-)*(?:v\d+-)?[A-Za-z0-9_-]{20,}"),
    ("a Stripe key", r"\b(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"),
    ("a Pulumi access token", r"\bpul-[0-9a-f]{32,}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a Google OAuth secret", r"\bGOCSPX-[0-9A-Za-z_-]{20,}"),
    ("a HubSpot token", r"\bpat-(?:na|eu|ap)\d-[0-9a-f-]{32,}"),
    ("a Linear key", r"\blin_(?:api|oauth|wh)_[A-Za-z0-9]{20,}"),
    ("a Notion token", r"\b(?:ntn_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{40,})"),
    ("a Vercel token", r"\b(?:vc[piark]_|vercel_)[A-Za-z0-9_]{20,}"),
    ("a Pinecone key", r"\bpcsk_[A-Za-z0-9_]{20,}"),
    ("a Figma token", r"\bfigd_[A-Za-z0-9_-]{20,}"),
    ("an npm or PyPI token", r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,})"),
    ("a Hugging Face token", r"\bhf_[A-Za-z]{30,}"),
    ("a Groq, xAI, Perplexity or Replicate key", r"\b(?:gsk_|xai-|pplx-|r8_)[A-Za-z0-9]{30,}"),
    ("a LangSmith key", r"\blsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}"),
    ("a Grafana token", r"\bgl(?:sa|c)_[A-Za-z0-9_=+/-]{20,}"),
    ("a Sentry token", r"\bsntry[su]_[A-Za-z0-9_=+/.-]{20,}"),
    ("a Docker or DigitalOcean token", r"\b(?:dckr_(?:pat|oat)_|do[opr]_v1_)[A-Za-z0-9_-]{20,}"),
    ("a Doppler or Databricks token", r"\b(?:dp\.[a-z]{2,}\.[A-Za-z0-9.]{20,}|dapi[0-9a-f]{32})"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("a Twilio key", r"\bSK[0-9a-f]{32}\b"),
    ("an Asana token", r"\b\d/\d{10,}(?:/\d{10,})?:[0-9a-f]{32}\b"),
    ("a signed token (JWT)", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"),
    ("a password in an address", r"[a-z][a-z0-9+.-]*://[^\s/@:$]*:(?!\$\{)[^\s/@]{3,}@"),
    ("an authorization header", r"(?i)\b(?:bearer|basic)[ \t]+(?!\$\{)[A-Za-z0-9._~+/-]{20,}=*"),
    (
        "a credential in a kubeconfig",
        r"(?m)^[ \t]*(?:client-key-data|token|password):[ \t]*(?!\$\{)[A-Za-z0-9._~+/=-]{16,}",
    ),
)
_SHAPE = tuple((what, re.compile(pattern)) for what, pattern in _SHAPES)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PWD|PASSPHRASE|CREDENTIALS?|PAT|DSN"
    r"|(?:API|ACCESS|SECRET|PRIVATE|SIGNING|ENCRYPTION|MANAGEMENT|MASTER|AUTH|CLIENT|SERVICE|SESSION|SHARED)_?KEY)$"
)
_KEY_NAME = re.compile(r"(?:^|_)KEY(?:_SECRET)?$")
_PUBLIC_NAME = re.compile(
    r"PUBLIC|CERTIFICATE|FINGERPRINT|CHECKSUM|DIGEST|SHA\d*|COMMIT|REVISION|THUMBPRINT|SALT|_CA_|COLOR"
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HARMLESS = re.compile(r"https?://\S*|(?:\.{0,2}|~)/\S*|(?i:true|false|yes|no|on|off|none|null)|\d{1,5}|<[^>]*>|\*+")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DENSE = re.compile(r"[A-Za-z0-9+/=_-]{24,}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^A-Za-z0-9]+")
_WORD = r"(?:[a-z]+(?:\d{1,2}[a-z]*)?|[A-Z]+\d{0,2}|\d{1,4})"
_PATH = re.compile(rf"[/_-]*{_WORD}(?:[/_-]+{_WORD})*")
"""Words in one case (``k8s`` too) and short numbers, joined: a path or a name. Letters drawn by lot do not fall so."""
_HEXADECIMAL = re.compile(r"(?i)[0-9a-f]{32,}")

_SHORTEST_KEY = 12
_FEWEST_CHARACTERS = 4
"""A token of fewer different characters is a placeholder, such as ``xoxb-xxxxxxxxxx``."""
_LONGEST_RUN = 2.6
"""Letters and digits drawn by lot change between small, capital and digit after 2 characters on average; words do not."""
_ENTROPY = 3.5
"""Bits a character. 24 characters drawn from 64 have 4.2, English words 3 to 3.5."""
_HEXADECIMAL_ENTROPY = 3.0


def shape(text: str) -> str | None:
    """Which vendor's credential is in ``text``, also in base64; None if none is. The answer shows nothing of it."""
    found = _plain_shape(text)
    if found:
        return found
    decoded = (_decoded(match.group()) for match in _BASE64.finditer(text))
    return next((f"{inner} in base64" for one in decoded if one and (inner := _plain_shape(one))), None)


def _plain_shape(text: str) -> str | None:
    for what, pattern in _SHAPE:
        for match in pattern.finditer(text):
            if "PRIVATE KEY" in match.group() or not _is_placeholder(match.group()):
                return what
    return None


def promises_secret(name: str, value: str) -> bool:
    """Whether a plain ``value`` stands under a name that says that it is a secret, such as ``DB_PASSWORD``."""
    upper = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", name).upper()
    text = value.strip()
    if not text or "${" in text or _HARMLESS.fullmatch(text) or _VARIABLE.fullmatch(text) or _PUBLIC_NAME.search(upper):
        return False
    if _SECRET_NAME.search(upper):
        return not _is_placeholder(text) or len(text) < _SHORTEST_KEY
    # A key may be a column's name, or that of a property.
    return bool(_KEY_NAME.search(upper)) and len(text) >= _SHORTEST_KEY and any(c.isdigit() for c in text)


def looks_drawn(name: str, value: str) -> bool:
    """Whether there is a long text in ``value`` that no person chose: drawn by lot, as keys are."""
    upper = name.upper()
    if _PUBLIC_NAME.search(upper) or "BEGIN PUBLIC KEY" in value or "BEGIN CERTIFICATE" in value:
        return False
    return any(_is_drawn(match.group(), value[: match.start()]) for match in _DENSE.finditer(value))


def _is_drawn(token: str, before: str) -> bool:
    if _UUID.search(token) or before.endswith(("sha256:", "sha512:", "sha256-", "@", "ssh-rsa ", "ssh-ed25519 ")):
        return False
    letters, digits = any(c.isalpha() for c in token), any(c.isdigit() for c in token)
    if not (letters and digits) or (_PATH.fullmatch(token) and not _HEXADECIMAL.fullmatch(token)):
        return False
    entropy = _entropy(token)
    if _HEXADECIMAL.fullmatch(token):
        return entropy >= _HEXADECIMAL_ENTROPY
    runs = _RUN.findall(token)
    return entropy >= _ENTROPY and len(token) / len(runs) <= _LONGEST_RUN


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _is_placeholder(text: str) -> bool:
    body = re.split(r"[-_:.]", text)[-1] or text
    return len(set(body.lower())) < _FEWEST_CHARACTERS


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
