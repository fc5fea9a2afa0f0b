"""What health checks ask GitHub, and what our emulator answers, against GitHub's own specification.

The specification is published in the npm package ``@octokit/openapi``: fetched once a machine, and known by its digest.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from platformdirs import user_cache_path

from health.asking import Client
from health.base import Resource, Subject
from health.checking import check
from health.github import HEALTH
from sandbox.official import PLATFORMS
from sandbox.official.github import ORGANIZATION, OWNER, PACKAGE
from sandbox.official.objects import Objects
from sandbox.store import Store

VERSION = "23.0.2"
SHA512 = "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
MEMBER = "package/generated/api.github.com.json"
REPOSITORY = "github:index/repository:Repository"
HOOK = "github:index/organizationWebhook:OrganizationWebhook"
REPOSITORY_HOOK = "github:index/repositoryWebhook:RepositoryWebhook"
(GITHUB,) = [platform for platform in PLATFORMS if platform.name == "github"]


def fetched(folder: Path) -> Path:
    """The specification's file, from the user's cache or fetched into it; skips where it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "api.github.com.json"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # every worker of pytest-xdist wants it at once
        if not found.is_file():
            npm = shutil.which("npm") or pytest.skip("GITHUB'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: no npm")
            command = [npm, "pack", f"@octokit/openapi@{VERSION}", "--silent", "--pack-destination", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                pytest.skip(f"GITHUB'S SPECIFICATION CANNOT BE FETCHED, NOTHING IS CHECKED: {done.stderr[-300:]}")
            package = folder / f"octokit-openapi-{VERSION}.tgz"
            assert hashlib.sha512(package.read_bytes()).digest() == base64.b64decode(SHA512)
            with tarfile.open(package) as archive:
                member = archive.extractfile(MEMBER)
                assert member
                fresh = found.with_suffix(".part")
                fresh.write_bytes(member.read())
            fresh.replace(found)
            package.unlink()
    return found


@pytest.fixture
def emulator(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    found = serve(GITHUB)
    for name, value in found.credentials.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def known(spec: Callable[[str], Any]) -> Any:
    """GitHub's specification."""
    return spec(str(fetched(user_cache_path("sophia-ai") / "octokit-openapi" / VERSION)))


@pytest.fixture
def api(emulator: Any, known: Any) -> Iterator[httpx.Client]:
    """Every exchange is held against the specification."""
    with emulator.client(known, Authorization=f"Bearer {emulator.credentials['GITHUB_TOKEN']}") as client:
        yield client


def estate(emulator: Any) -> Subject:
    """One repository and two webhooks, and the settings that have them."""
    objects = Objects(Store(emulator.app.state.stores("github").database, "github"), PACKAGE)
    objects.create(REPOSITORY, {"name": "lab", "visibility": "private"}, ())
    hooks = []
    for kind, where in ((HOOK, {}), (REPOSITORY_HOOK, {"repository": "lab"})):
        configuration = {"url": "https://n8n.payready.com/webhook/github-events"}
        key, made = objects.create(kind, {"events": ["push"], "configuration": configuration, **where}, ())
        hooks.append(Resource(kind, "events", key, None, made))
    settings = {"organization": {"default_permission": "none"}, "repositories": {"lab": {"name": "lab"}}}
    return Subject(settings, resources=hooks)


def text(value: Any, subject: Subject) -> str:
    return str(value(subject) if callable(value) else value)


def test_what_health_asks_and_is_answered_is_as_github_says(emulator: Any, api: httpx.Client) -> None:
    subject = estate(emulator)
    small = Subject({"repositories": {"lab": {"name": "lab"}}}, resources=subject.resources[1:])
    asked = set()
    for whose in (subject, small):
        for probe in HEALTH.probes:
            if probe.needed(whose):
                path = text(probe.path, whose)
                asked.add(path)
                assert api.request(probe.method, path, params=dict(probe.params)).status_code == 200, path
    assert len(asked) == 6, asked
    owner, hook = emulator.credentials["GITHUB_OWNER"], subject.resources[1].id
    assert api.get(f"/repos/{owner}/lab/hooks/{hook}/deliveries", params={"per_page": 20}).json()[0]["event"] == "ping"


def test_what_is_not_there_is_an_error_as_github_writes_it(emulator: Any, known: Any) -> None:
    owner, token = emulator.credentials["GITHUB_OWNER"], emulator.credentials["GITHUB_TOKEN"]
    missing = (f"/orgs/{owner}/hooks/17/deliveries", f"/repos/{owner}/none/keys", "/orgs/another")
    for path, bearer, status in (*((path, token, 404) for path in missing), ("/rate_limit", "wrong", 401)):
        answered = httpx.get(f"{emulator.url}{path}", headers={"Authorization": f"Bearer {bearer}"})
        assert answered.status_code == status
        assert known.problems("basic-error", answered.json()) == []


def test_a_healthy_organisation_is_well_and_a_careless_one_is_told_of(emulator: Any) -> None:
    subject = estate(emulator)

    def said() -> list[str]:
        return [problem.said for problem in check(HEALTH, subject, time.monotonic() + 10).problems]

    assert said() == []
    store = emulator.app.state.stores("github")
    known = store.get(ORGANIZATION, OWNER)
    known["properties"] |= {"twoFactorRequirementEnabled": False, "defaultRepositoryPermission": "read"}
    store.put(ORGANIZATION, OWNER, known)
    assert said() == [
        "members need no second factor",
        "every member may read every repository, and the settings say none",
    ]


def test_the_receiver_of_a_webhook_tells_whether_its_secret_is_right(emulator: Any) -> None:
    subject = estate(emulator)
    hook = subject.resources[1]
    (minted,) = [mint for mint in HEALTH.minted if mint.type == REPOSITORY_HOOK]
    assert minted.ask
    assert HEALTH.service
    client = Client(HEALTH.service, subject, time.monotonic() + 10)
    assert minted.ask(client, hook, subject).authenticates is True
    store = emulator.app.state.stores("github")
    for status, authenticates in ((401, False), (503, None)):
        document = store.get(REPOSITORY_HOOK, hook.id)
        document["properties"]["lastStatus"] = status
        store.put(REPOSITORY_HOOK, hook.id, document)
        known = minted.ask(client, hook, subject)
        assert (known.authenticates, str(status) in known.said) == (authenticates, True)
