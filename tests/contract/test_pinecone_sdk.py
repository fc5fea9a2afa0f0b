"""Pinecone's own Python SDK makes a round trip through the emulator.

The SDK of the series 9 is the last that speaks the indexes' form of 2026-04 (its own version is 2025-10, which the vendor
serves alike); the series 10 speaks that of 2026-07.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.pinecone import PLATFORM, access

sdk = pytest.importorskip("pinecone", reason="the vendor's SDK is absent", exc_type=ImportError)


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def pc(emulator: Any) -> Iterator[Any]:
    with sdk.Pinecone(api_key=access.control_key("dev"), host=emulator.url) as client:
        yield client


@pytest.fixture
def admin(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK has its addresses as constants."""
    module = "pinecone.admin.admin"
    monkeypatch.setattr(f"{module}._OAUTH_URL", f"{emulator.url}/oauth/token")
    monkeypatch.setattr(f"{module}.DEFAULT_BASE_URL", emulator.url)
    with sdk.Admin(client_id=access.CLIENT_ID, client_secret=access.CLIENT_SECRET) as client:
        yield client


def test_indexes_make_a_round_trip(pc: Any) -> None:
    made = pc.indexes.create(
        name="conversations",
        dimension=1536,
        metric="cosine",
        spec=sdk.ServerlessSpec(cloud="aws", region="us-east-1"),
        deletion_protection="enabled",
        tags={"data": "personal"},
        timeout=30,
    )
    assert made.name == "conversations"
    index = pc.indexes.describe("conversations")
    assert (index.status.ready, index.dimension, index.deletion_protection) == (True, 1536, "enabled")
    with pytest.raises(sdk.errors.ConflictError):
        pc.indexes.create(
            name="conversations", dimension=8, metric="cosine", spec=sdk.ServerlessSpec(cloud="aws", region="us-east-1")
        )
    with pytest.raises(sdk.errors.ForbiddenError, match="Deletion protection"):
        pc.indexes.delete("conversations")
    pc.indexes.configure("conversations", deletion_protection="disabled", tags={"data": "", "team": "ai"})
    assert pc.indexes.describe("conversations").tags == {"team": "ai"}
    assert [found.name for found in pc.indexes.list()] == ["conversations"]
    pc.indexes.delete("conversations")
    assert not pc.indexes.exists("conversations")


def test_backups_make_a_round_trip(pc: Any) -> None:
    spec = sdk.ServerlessSpec(cloud="aws", region="us-east-1")
    pc.indexes.create(name="conversations", dimension=8, metric="cosine", spec=spec, timeout=30)
    backup = pc.backups.create(index_name="conversations", name="first", description="d")
    assert pc.backups.describe(backup_id=backup.backup_id).status == "Ready"
    assert [found.name for found in pc.backups.list()] == ["first"]
    pc.create_index_from_backup(name="again", backup_id=backup.backup_id, timeout=30)
    assert pc.indexes.describe("again").dimension == 8
    (job,) = list(pc.restore_jobs.list())
    assert pc.restore_jobs.describe(job_id=job.restore_job_id).status == "Completed"
    pc.backups.delete(backup_id=backup.backup_id)


def test_projects_and_keys_make_a_round_trip(admin: Any, emulator: Any) -> None:
    project = admin.projects.create(name="tests", max_pods=0)
    key = admin.api_keys.create(project_id=project.id, name="k", roles=["ControlPlaneViewer"])
    with sdk.Pinecone(api_key=key.value, host=emulator.url) as client:
        assert list(client.indexes.list()) == []
        with pytest.raises(sdk.errors.ForbiddenError):
            client.indexes.create(
                name="x", dimension=8, metric="cosine", spec=sdk.ServerlessSpec(cloud="aws", region="us-east-1")
            )
    assert [found.name for found in admin.api_keys.list(project_id=project.id)] == ["k"]
    admin.api_keys.delete(api_key_id=key.key.id)
    admin.projects.delete(project_id=project.id)
    assert "tests" not in [found.name for found in admin.projects.list()]
    assert [organization.plan for organization in admin.organizations.list()] == ["Standard"]
