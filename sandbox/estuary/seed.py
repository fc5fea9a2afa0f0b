"""What a new tenant of Estuary has: its own prefix, grants, a storage mapping, and an account for automation."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from sandbox.estuary.identifiers import new_id, now
from sandbox.http import digest
from sandbox.store import Document, Store

TENANT = "sophia-ai/"
ACCOUNT = "sophia-ai/automation"
API_KEY = "flow_sa_sandbox-estuary-api-key"
PUBLIC_TOKEN = "sandbox-estuary-public-token"  # noqa: S105 - public with the vendor, too
QUEUE = ("publication_queue", "publications")
_YEAR_SECONDS = 366 * 24 * 3600

_PLANES = (
    ("ops/dp/public/gcp-us-central1-c2", "GCP", "us-central1", "c2"),
    ("ops/dp/public/aws-us-east-1-c1", "AWS", "us-east-1", "c1"),
    ("ops/dp/public/aws-eu-west-1-c1", "AWS", "eu-west-1", "c1"),
)


def user_of(account: str) -> str:
    """The user behind a service account."""
    return str(uuid5(NAMESPACE_URL, f"https://estuary.dev/service-accounts/{account}"))


def planes() -> list[Document]:
    """The public data planes that there are, by name."""
    return [_plane(*plane) for plane in sorted(_PLANES)]


def plane_id(name: str) -> str:
    return digest(f"data plane {name}")[:16]


def ensure(store: Store) -> None:
    """Makes the tenant with the first request."""
    if store.latest.get(*QUEUE) is not None:
        return
    store.put(*QUEUE, {"polls": 1, "seconds": 0, "activation_looks": 1, "outcomes": []})
    store.put("service_account", ACCOUNT, {"catalog_name": ACCOUNT, "created_at": now(), "created_by": ""})
    put_grant(store, user_of(ACCOUNT), TENANT, "admin", "the tenant's automation")
    put_key(store, ACCOUNT, API_KEY, "the sandbox's FLOW_API_KEY", _YEAR_SECONDS)
    for object_role, capability in ((TENANT, "write"), ("ops/dp/public/", "read")):
        put_role_grant(store, TENANT, object_role, capability, None)
    spec = {
        "stores": [{"provider": "GCS", "bucket": "estuary-trial"}],
        "data_planes": [planes()[-1]["name"]],
    }
    mapping = {"id": new_id(), "catalog_prefix": TENANT, "spec": spec, "detail": "made with the tenant"}
    store.put("storage_mapping", TENANT, mapping | {"created_at": now(), "updated_at": now()})


def put_key(store: Store, account: str, secret: str, detail: str, seconds: int, creator: str = "") -> Document:
    """A key of a service account; of the secret only the digest is kept."""
    key: Document = {
        "id": new_id(),
        "account": account,
        "digest": digest(secret),
        "detail": detail,
        "valid_seconds": seconds,
        "uses": 0,
        "created_by": creator,
        "created_at": now(),
        "updated_at": now(),
    }
    return store.put("api_key", key["id"], key)


def put_grant(store: Store, user: str, prefix: str, capability: str, detail: str | None) -> Document:
    """A user's grant; one for the same prefix is replaced, and not only widened."""
    key = f"{user} {prefix}"
    kept = store.latest.get("user_grant", key) or {"id": new_id(), "created_at": now()}
    grant = kept | {"user_id": user, "object_role": prefix, "capability": capability, "detail": detail}
    return store.put("user_grant", key, grant | {"updated_at": now()})


def put_role_grant(store: Store, subject: str, prefix: str, capability: str, detail: str | None) -> Document:
    """What specifications under a prefix may do with those under another."""
    key = f"{subject} {prefix}"
    kept = store.latest.get("role_grant", key) or {"id": new_id(), "created_at": now()}
    grant = kept | {"subject_role": subject, "object_role": prefix, "capability": capability, "detail": detail}
    return store.put("role_grant", key, grant | {"updated_at": now()})


def _plane(name: str, provider: str, region: str, tag: str) -> Document:
    host = f"{name.rpartition('/')[2]}.dp.estuary-data.com"
    return {
        "id": plane_id(name),
        "name": name,
        "provider": provider,
        "region": region,
        "tag": tag,
        "fqdn": host,
        "reactor_address": f"https://reactor.{host}",
    }
