"""The whole estate through the real engine, as people run it: deployed, left alone, changed, damaged, repaired, removed.

The policies watch, and find nothing in the settings of this repository.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.platforms import all_platforms
from sophia import Plan, Result

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""How an exported state marks a secret (resource.SigKey and SecretSig in the engine)."""


BORN_WITH_AN_ACCOUNT = {
    "token", "user", "organization", "permission", "application", "data_plane", "publication_queue", "publication",
    "user_grant", "role_grant", "service_account", "api_key", "storage_mapping", "publication_spec", "job", "model",
    "preset", "project", "instance_type", "timing", "key", "n8n instance", "asana workspace", "figma plan",
    "figma file", "figma request", "figma variables", "linear projectStatus", "hubspot portal", "hubspot developer_key",
    "hubspot counter", "hubspot pipeline", "apollo team", "apollo use", "apollo schedule", "apollo contact_stage",
    "apollo account_stage", "apollo people_field", "gong folder", "gong limits", "gong scorecard", "gong tracker",
    "gong workspace",
}  # fmt: skip
"""Kinds of which a sandbox has objects before anybody makes one, or after their deletion."""

KEPT = {
    "apollo field", "apollo label", "apollo sequence", "asana team", "gong profile", "linear customView",
    "linear gitAutomationState", "linear issueLabel", "linear projectMilestone", "linear teamMembership",
    "linear template", "linear workflowState",
}  # fmt: skip
"""Kinds that no call deletes, or that stay in what is archived: Linear keeps a team with all that is in it."""


def changed(outcome: Plan | Result) -> dict[str, str]:
    """What happened to whom: ``Airbyte connection gong-to-raw`` → ``update``."""
    return {f"{c.resource.platform} {c.resource.kind} {c.resource.name}": c.operation for c in outcome.changes}


def live(checkout: Checkout) -> set[tuple[str, str]]:
    """The kinds of which platforms have live objects, but for what is there before anybody makes anything."""
    return {
        (platform["name"], kind)
        for platform in checkout.running.platforms()
        for kind, objects in checkout.running.objects(platform["name"]).objects.items()
        if not (BORN_WITH_AN_ACCOUNT | KEPT) & {kind, f"{platform['name']} {kind}"}
        and any(not is_gone(o) and o.get("slug") != "default" for o in objects.values())
    }


def is_gone(document: Mapping[str, Any]) -> bool:
    """Whether a platform keeps a deleted object: most of them archive, Airbyte marks, Lambda shows what ran."""
    marks = ("is_archived", "isArchived", "archivedAt", "trashed", "date_delete", "deleted", "deletedAt")
    return any(document.get(mark) for mark in marks) or document.get("status") in ("archived", "terminated")


def test_the_life_of_the_whole_stack(checkout: Checkout) -> None:
    checkout.enforce_policies()
    dev = checkout.stack()
    first = dev.up(skip_preview=True)
    assert first.violations == ()
    assert first.counts.created == first.counts.total > 100
    assert set(first.outputs) == set(checkout.settings()), "every platform tells what others may use"
    assert {change.resource.platform for change in first.changes} >= {
        "Airbyte", "GitHub", "Kubernetes", "OpenRouter", "Slack", "Snowflake", "Vercel"
    }  # fmt: skip

    mark = checkout.running.mark()
    again = dev.up(skip_preview=True)
    assert not again.has_changes
    assert again.counts.unchanged == first.counts.total
    assert (first.outputs_before, again.outputs_before) == ({}, first.outputs)
    assert checkout.running.journal(since=mark).entries == [], "a run without changes asks no platform anything"

    settings = checkout.settings()
    settings["openrouter"]["keys"]["ci"]["limit_usd"] = 12
    checkout.configure(**settings)
    plan = dev.preview()
    key = next(change for change in plan.updates if change.resource.name == "ci")
    assert [(p.path, p.old, p.new) for p in key.properties] == [("limit", 10, 12)]
    mark = checkout.running.mark()
    assert changed(dev.up(plan=plan)) == {"OpenRouter api key ci": "update"}
    requests = [(e.platform, e.method) for e in checkout.running.journal(since=mark).entries]
    assert requests == [("openrouter", "PATCH")], "one changed value is one request"

    damage(checkout)
    refreshed = dev.refresh()
    assert changed(refreshed) == {
        "OpenRouter api key ci": "delete",
        "Airbyte connection gong-to-raw": "update",
        "Vercel project environment variable web.NEXT_PUBLIC_STAGE": "update",
    }
    repaired = dev.up(skip_preview=True)
    assert changed(repaired) == {
        "OpenRouter api key ci": "create",
        "Airbyte connection gong-to-raw": "update",
        "Vercel project environment variable web.NEXT_PUBLIC_STAGE": "update",
        "GitHub actions secret lab.OPENROUTER_API_KEY": "update",
    }, "the new key's value goes where the old one's was"
    prefixes = {c["prefix"] for c in checkout.objects("airbyte", "connection").values()}
    assert prefixes == {c["prefix"] for c in settings["airbyte"]["connections"].values()}
    assert not dev.refresh().has_changes

    checkout.run("health", "dev")
    assert dev.destroy().counts.deleted == first.counts.total, "whoever asked for its health left nothing in the way"
    assert live(checkout) == set()
    channels = checkout.objects("slack", "channel").values()
    assert sorted(c["name"] for c in channels) == sorted(c["name"] for c in settings["slack"]["channels"].values())
    assert not checkout.resources()

    checkout.configure(slack=settings["slack"])
    dev.up(skip_preview=True)
    assert len(checkout.objects("slack", "channel")) == len(channels), "archived channels come back, with their history"


def damage(checkout: Checkout) -> None:
    """What people do by hand: a key is deleted, a connection and a variable are edited."""
    sandbox = checkout.running
    keys = checkout.objects("openrouter", "key")
    sandbox.delete_object("openrouter", "key", next(h for h, k in keys.items() if k["name"].startswith("Continuous")))
    connections = checkout.objects("airbyte", "connection")
    gong = next(id_ for id_, c in connections.items() if c["name"].startswith("Gong"))
    sandbox.change_object("airbyte", "connection", gong, {"prefix": "by_hand_"})
    kind = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
    variables = checkout.objects("vercel", kind)
    web = checkout.resources()["vercel:index/project:Project::web"]["id"]
    wanted = {"key": "NEXT_PUBLIC_STAGE", "projectId": web}
    stage = next(id_ for id_, v in variables.items() if wanted.items() <= v["properties"].items())
    edited = {**variables[stage]["properties"], "value": "by hand"}
    sandbox.change_object("vercel", kind, stage, {"properties": edited})


def test_staging_is_deployed_and_then_left_alone(checkout: Checkout) -> None:
    checkout.enforce_policies()
    staging = checkout.stack("staging")
    result = staging.up(skip_preview=True)
    assert result.violations == ()
    assert result.counts.created == result.counts.total > 100
    mark = checkout.running.mark()
    assert not staging.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == []


def test_prod_keeps_what_holds_data_when_it_is_destroyed(checkout: Checkout) -> None:
    checkout.enforce_policies()
    prod = checkout.stack("prod")
    result = prod.up(skip_preview=True)
    assert result.violations == ()
    assert result.counts.created == result.counts.total > 100
    mark = checkout.running.mark()
    assert not prod.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == []
    protected = {name for name, resource in checkout.resources("prod").items() if resource.get("protect")}
    assert {name.split("::")[0].rpartition(":")[2] for name in protected} >= {
        "Database", "Destination", "Namespace", "Project", "Repository", "Schema"
    }  # fmt: skip

    refused = checkout.run("destroy", "prod", "--yes", code=3)
    assert 'GitHub repository "sophia"' in refused.stderr
    assert "pulumi state unprotect --all" in refused.stderr, "the message says what to do"
    assert "Traceback" not in refused.stderr
    assert checkout.running.journal(since=mark).entries == [], "before anything is deleted"
    assert not prod.preview().has_changes


def pulumi(checkout: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Plain pulumi in a shell that evaluated ``sophia sandbox env``."""
    sophia = shlex.quote(str(Path(sys.executable).with_name("sophia")))
    done = subprocess.run(
        ["sh", "-c", f'eval "$({sophia} sandbox env)" && exec pulumi {shlex.join(arguments)} --color=never'],
        cwd=checkout.directory,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"pulumi {arguments} ended with {done.returncode}: {done.stdout} {done.stderr}"
    return done


def watch_processes(seen: set[str], stop: threading.Event) -> None:
    """What ``ps`` shows to every user of the machine: command lines, not environments."""
    while not stop.wait(0.05):
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # ended meanwhile


def test_a_secret_is_nowhere_to_be_read(checkout: Checkout) -> None:
    seen: set[str] = set()
    stop = threading.Event()
    watcher = threading.Thread(target=watch_processes, args=(seen, stop))
    watcher.start()
    try:
        up = checkout.run("up", "dev", "--json", "--debug")
    finally:
        stop.set()
        watcher.join()
    shown = json.loads(pulumi(checkout, "stack", "export", "-s", "dev", "--show-secrets").stdout)
    minted = {leaf for value in secrets_in(shown["deployment"]) for leaf in leaves(value)}
    given = [p.credentials[name].replace("{stage}", "dev") for p in all_platforms() for name in p.secret - p.files]
    # What the stack tells, what git has, certificates and NATS's address are none for being in a Kubernetes secret too.
    outputs = json.loads(checkout.run("outputs", "dev", "--json").stdout)
    told = {*leaves(outputs), *leaves(checkout.settings())}
    told |= {text for text in minted if text.startswith(("-----BEGIN CERTIFICATE", "tls://nats."))}
    needles = {n for text in [*(minted - told), *given, checkout.running.access_token] for n in recognisable(text)}
    assert len(needles) > 15
    assert any(n.startswith("sk-or-v1-") for n in needles), "minted keys are looked for"
    assert "sandbox-github-token" in needles, "and credentials"

    state = checkout.stack().state()
    assert state is not None
    journal = checkout.running.journal(limit=100_000).entries
    cloud = checkout.running.journal(platforms=["pulumi"], limit=100_000).entries
    sandbox = checkout.running.directory
    places = {
        "the exported state": state.dump(),
        "the sandbox's database": (sandbox / "sandbox.db").read_bytes().decode("latin-1"),
        "the sandbox's write-ahead log": (sandbox / "sandbox.db-wal").read_bytes().decode("latin-1"),
        "the sandbox's log": (sandbox / "sandbox.log").read_text(),
        "the journal": repr([*journal, *cloud]),
        "what sophia up printed": said(up),
        "the process list": "\n".join(seen),
        "sophia outputs": checkout.run("outputs", "dev", "--json").stdout,
        "sophia preview": said(checkout.run("preview", "dev", "--json", "--debug")),
        "pulumi preview --diff": said(pulumi(checkout, "preview", "-s", "dev", "--diff", "--show-sames")),
        "pulumi stack": said(pulumi(checkout, "stack", "-s", "dev")),
    }
    assert "pulumi" in places["the process list"]
    found = sorted({place for place, text in places.items() for needle in needles if needle in text})
    assert found == []


def said(run: subprocess.CompletedProcess[str]) -> str:
    return run.stdout + run.stderr


def secrets_in(value: Any) -> Iterator[Any]:
    """The secret values of a state that was exported with them in plain text."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            yield json.loads(value["plaintext"])
            return
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)


def recognisable(secret: str) -> Iterator[str]:
    """What of a secret to look for: of several lines (a private key) one in the middle; nothing that is a common word."""
    lines = secret.split("\n")
    line = lines[len(lines) // 2] if len(lines) > 2 else secret
    if len(line) >= 16:
        yield line


def test_plain_pulumi_works_in_a_shell_that_asked_for_the_sandbox(checkout: Checkout) -> None:
    checkout.configure(slack=checkout.settings()["slack"])
    pulumi(checkout, "stack", "init", "scoobyjava-org/sophia-ai/dev")
    pulumi(checkout, "up", "-s", "dev", "--yes", "--skip-preview")
    preview = pulumi(checkout, "preview", "-s", "dev").stdout
    assert "unchanged" in preview
    assert "create" not in preview
    (listed,) = json.loads(pulumi(checkout, "stack", "ls", "--json").stdout)
    assert listed["name"].endswith("dev")
    assert listed["resourceCount"] > len(checkout.resources())
    opened = json.loads(pulumi(checkout, "env", "open", "scoobyjava-org/sophia-ai/dev").stdout)
    assert opened["environmentVariables"]["SOPHIA_STAGE"] == "dev"
    assert opened["environmentVariables"]["SLACK_API_URL"].startswith(checkout.running.url)
    assert not checkout.stack().preview().has_changes, "and sophia goes on from there"
