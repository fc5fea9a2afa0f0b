"""Our provider of Lambda Cloud against the emulator, every exchange held against the vendor's specification."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from providers import lambda_labs
from providers.base import Limit
from providers.base.pace import Pace
from providers.lambda_labs_instances import LAUNCH
from sandbox.lambda_labs import PLATFORM
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "lambda/lambda_cloud_openapi_1.8.3.json"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"
KEY: dict[str, Any] = {"name": "operators", "public_key": f"{PUBLIC} somebody@laptop"}
FILESYSTEM: dict[str, Any] = {"name": "models", "region": "us-east-1"}
RULESET: dict[str, Any] = {
    "name": "nodes",
    "region": "us-east-1",
    "rules": [
        {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7", "description": "SSH"},
        {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": ""},
    ],
}
INSTANCE: dict[str, Any] = {
    "name": "gpu-a-1",
    "ssh_key": "operators",
    "types": ["gpu_1x_h100_pcie", "gpu_1x_a10"],
    "regions": ["us-east-1", "us-west-3"],
    "max_price_cents": 300,
    "image": {"family": "lambda-stack-24-04"},
    "setup": "0a1b2c3d",
    "tags": {"team": "ai"},
    "user_data": "#cloud-config\n# token abcdef.0123456789abcdef\n",
}


class Cloud(Driven):
    def timing(self, **changes: Any) -> None:
        self.store.put("timing", "account", {"looks": 1, "request_seconds": 0.0, "launch_seconds": 0.0, **changes})

    def running(self) -> list[dict[str, Any]]:
        return [one for one in self.all("instance") if one["status"] not in ("terminated", "preempted")]

    def capacity(self, **types: dict[str, int]) -> None:
        """What is free, and nothing else."""
        for offer in self.all("instance_type"):
            self.change("instance_type", offer["name"], capacity=types.get(offer["name"], {}))


@pytest.fixture
def cloud(serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    found = Cloud(serve(PLATFORM), PLATFORM.name, "/lambda_labs/api/v1")
    found.timing()
    without_waiting(monkeypatch, found.emulator.credentials)
    api, quick = lambda_labs.LAMBDA_LABS, Limit(1000, 1)
    paces = {found.emulator.url: Pace(quick), found.emulator.url + LAUNCH: Pace(quick)}
    monkeypatch.setitem(api.__dict__, "_paces", paces)
    with ExitStack() as clients:
        client = clients.enter_context(found.emulator.client(spec(SPEC)))
        client.event_hooks = {"response": [*client.event_hooks["response"], found.answered]}
        client.base_url = ""
        monkeypatch.setitem(api.__dict__, "client", client)
        client.get(f"{found.emulator.url}/api/v1/images", headers=authorization(found)).raise_for_status()
        found.requests.clear()
        yield found


def authorization(cloud: Cloud) -> dict[str, str]:
    return {"Authorization": f"Bearer {cloud.emulator.credentials['LAMBDA_API_KEY']}"}


@pytest.fixture
def key(cloud: Cloud) -> Any:
    return Engine(lambda_labs.SshKey, "operators").create(**KEY)


def test_a_key_is_read_without_its_comment_and_deleted_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(lambda_labs.SshKey, KEY, monkeypatch)
    engine = Engine(lambda_labs.SshKey)
    assert not engine.changes(made, name="operators", public_key=f"{PUBLIC} another@laptop")
    assert engine.diff(made, name="operators", public_key=PUBLIC[:-1] + "C").replaces
    engine.delete(made)
    assert cloud.all("ssh_key") == []
    engine.delete(made)
    assert engine.read(made) is None


@pytest.mark.parametrize("text", ["-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "ssh-ed25519"])
def test_only_public_keys_are_taken(cloud: Cloud, text: str) -> None:
    _, mistakes = Engine(lambda_labs.SshKey).check(name="operators", public_key=text)
    assert "must be a public key" in mistakes["public_key"]


def test_a_filesystem_is_never_replaced_and_says_where_another_one_is_made(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(lambda_labs.Filesystem, FILESYSTEM, monkeypatch)
    assert made.outputs["mount_point"] == "/lambda/nfs/models"
    assert "declare a new filesystem under another key" in lambda_labs.Filesystem.kind.irreplaceable
    engine = Engine(lambda_labs.Filesystem)
    assert "exists already" in str(engine.failing_create(**FILESYSTEM))
    engine.delete(made)
    assert cloud.all("filesystem") == []


def test_rules_change_in_place_whatever_their_order(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(lambda_labs.FirewallRuleset, RULESET, monkeypatch)
    engine = Engine(lambda_labs.FirewallRuleset)
    assert not engine.changes(made, **{**RULESET, "rules": RULESET["rules"][::-1]})
    wider = {**RULESET, "rules": [{**RULESET["rules"][0], "source_network": "203.0.113.0/28"}]}
    assert not engine.diff(made, **wider).replaces
    changed = engine.update(made, **wider)
    (ruleset,) = cloud.all("firewall_ruleset")
    assert [rule["source_network"] for rule in ruleset["rules"]] == ["203.0.113.0/28"]
    assert not engine.changes(changed, **wider)
    assert engine.diff(made, **{**RULESET, "region": "us-west-1"}).replaces
    engine.delete(changed)
    assert cloud.all("firewall_ruleset") == []


def test_an_instance_is_launched_with_all_that_belongs_to_it(
    cloud: Cloud, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filesystem = Engine(lambda_labs.Filesystem).create(**FILESYSTEM)
    ruleset = Engine(lambda_labs.FirewallRuleset).create(**RULESET)
    given = {
        **INSTANCE,
        "mounts": {"/lambda/nfs/models": filesystem.id},
        "firewall_rulesets": {"us-east-1": [ruleset.id], "us-west-3": ["another"]},
    }
    made = unchanged(lambda_labs.Instance, given, monkeypatch)
    (instance,) = cloud.running()
    assert (instance["name"], instance["hostname"], instance["status"]) == ("gpu-a-1", "gpu-a-1", "active")
    assert {tag["key"]: tag["value"] for tag in instance["tags"]} == {
        "team": "ai",
        "setup": "0a1b2c3d",
        "managed-by": "sophia-ai/dev",
    }
    assert [one["file_system_id"] for one in instance["file_system_mounts"]] == [filesystem.id]
    assert instance["firewall_rulesets"] == [{"id": ruleset.id}]
    assert (made.outputs["region"], made.outputs["instance_type"]) == ("us-east-1", "gpu_1x_h100_pcie")
    assert made.outputs["price_cents_per_hour"] == 249
    assert made.outputs["ip"]
    assert "abcdef.0123456789abcdef" not in str(made.outputs), "the token is in nothing that the state shows"

    blocked = {lambda_labs.Filesystem: filesystem, lambda_labs.FirewallRuleset: ruleset}
    for resource, state in blocked.items():
        with pytest.raises(Exception, match="in use"):
            Engine(resource).delete(state)
    Engine(lambda_labs.Instance).delete(made)
    assert cloud.running() == [], "it waited until the instance was over"
    for resource, state in blocked.items():
        Engine(resource).delete(state)
    Engine(lambda_labs.Instance).delete(made)


def test_prices_that_move_and_candidates_that_change_replace_nothing(
    cloud: Cloud, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(lambda_labs.Instance, INSTANCE, monkeypatch)
    engine = Engine(lambda_labs.Instance)
    cloud.change("instance_type", "gpu_1x_h100_pcie", price_cents_per_hour=999, capacity={})
    other = {"types": ["gpu_1x_gh200"], "regions": ["us-east-3"], "max_price_cents": 1, "user_data": "another token"}
    assert not engine.diff(made, **{**INSTANCE, **other}).replaces
    for changed in ({"image": {"family": "ubuntu-22-04"}}, {"setup": "f"}, {"ssh_key": "x"}, {"name": "gpu-a-2"}):
        assert engine.diff(made, **{**INSTANCE, **changed}).replaces, changed
    another = engine.diff(made, **{**INSTANCE, "name": "gpu-a-2"})
    assert not another.deleteBeforeReplace, "the next generation is there before this one goes"


@pytest.mark.parametrize(
    ("prefer", "capacity", "taken"),
    [
        ("order", {"gpu_1x_h100_pcie": {"us-west-3": 1}, "gpu_1x_a10": {"us-east-1": 1}}, "gpu_1x_h100_pcie us-west-3"),
        ("price", {"gpu_1x_h100_pcie": {"us-west-3": 1}, "gpu_1x_a10": {"us-east-1": 1}}, "gpu_1x_a10 us-east-1"),
        ("order", {"gpu_1x_a10": {"us-east-1": 1, "us-south-1": 1}}, "gpu_1x_a10 us-east-1"),
    ],
)
def test_types_and_regions_are_tried_as_the_settings_say(
    cloud: Cloud, key: Any, prefer: str, capacity: dict[str, Any], taken: str
) -> None:
    cloud.capacity(**capacity)
    made = Engine(lambda_labs.Instance).create(**INSTANCE, prefer=prefer)
    assert f"{made.outputs['instance_type']} {made.outputs['region']}" == taken
    assert cloud.requests.count("POST /instance-operations/launch") == 1, "what shows no capacity is not tried"


def test_capacity_that_is_gone_when_it_is_asked_for_leads_to_the_next(cloud: Cloud, key: Any) -> None:
    """Between the look at the offers and the launch somebody else was quicker."""

    def quicker(response: httpx.Response) -> None:
        if response.request.url.path.endswith("/instance-types"):
            cloud.change("instance_type", "gpu_1x_h100_pcie", capacity={})

    client = lambda_labs.LAMBDA_LABS.client
    client.event_hooks = {"response": [*client.event_hooks["response"], quicker]}
    made = Engine(lambda_labs.Instance).create(**INSTANCE)
    assert made.outputs["instance_type"] == "gpu_1x_a10"
    assert len(cloud.running()) == 1


def test_no_capacity_anywhere_is_one_error_with_what_was_tried_and_where_there_is_some(cloud: Cloud, key: Any) -> None:
    cloud.capacity(gpu_1x_gh200={"us-east-3": 2}, gpu_8x_h100_sxm5={"us-south-2": 1})
    failed = Engine(lambda_labs.Instance).failing_create(**{**INSTANCE, "types": [*INSTANCE["types"], "gpu_9x"]})
    told = str(failed)
    assert failed.kept is None
    assert cloud.running() == []
    for text in (
        "gpu_1x_h100_pcie in us-east-1 (2.49 USD/h): no capacity",
        "gpu_1x_a10 in us-west-3 (0.75 USD/h): no capacity",
        "gpu_9x: Lambda offers no such type",
        "Capacity now: gpu_1x_gh200 (1.49 USD/h) in us-east-3",
        "sophia-ai:lambda_labs.instances.hall",
    ):
        assert text in told
    assert "gpu_8x_h100_sxm5" not in told, "what is too dear is no advice"
    assert cloud.requests.count("POST /instance-operations/launch") == 0


def test_what_costs_too_much_is_not_taken(cloud: Cloud, key: Any) -> None:
    made = Engine(lambda_labs.Instance).create(**{**INSTANCE, "max_price_cents": 100})
    assert made.outputs["instance_type"] == "gpu_1x_a10"


def test_a_launch_whose_answer_was_lost_is_found_and_not_sent_again(cloud: Cloud, key: Any) -> None:
    cloud.lost = ["POST /instance-operations/launch"]
    made = Engine(lambda_labs.Instance).create(**INSTANCE)
    assert [one["id"] for one in cloud.running()] == [made.id]
    assert cloud.requests.count("POST /instance-operations/launch") == 1


def test_an_instance_of_that_name_that_is_not_ours_is_left_alone(cloud: Cloud, key: Any) -> None:
    engine = Engine(lambda_labs.Instance, stack="prod")
    engine.create(**INSTANCE)
    told = str(Engine(lambda_labs.Instance).failing_create(**INSTANCE))
    assert "managed by sophia-ai/prod" in told
    assert len(cloud.running()) == 1


def test_an_instance_that_never_becomes_active_stays_known_with_what_it_costs(
    cloud: Cloud, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.timing(becomes="unhealthy")
    engine = Engine(lambda_labs.Instance)
    failed = engine.failing_create(**INSTANCE)
    assert failed.kept
    (instance,) = cloud.running()
    assert failed.kept.id == instance["id"]
    assert failed.kept.outputs["instance_type"] == "gpu_1x_h100_pcie"
    new_run(monkeypatch)
    with pytest.raises(Exception, match=r"unhealthy and bills 2.49 USD/h: raise `generation`"):
        engine.update(failed.kept, **INSTANCE)
    engine.delete(failed.kept)
    assert cloud.running() == []


@pytest.mark.parametrize("status", ["preempted", "terminated", "terminating"])
def test_what_lambda_took_away_is_gone_and_launched_anew(
    cloud: Cloud, key: Any, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(lambda_labs.Instance)
    made = engine.create(**INSTANCE)
    cloud.change("instance", made.id, status=status)
    new_run(monkeypatch)
    assert engine.read(made) is None
    assert engine.create(**INSTANCE).id != made.id


def test_twenty_instances_at_once_are_twenty_and_no_more(cloud: Cloud, key: Any) -> None:
    cloud.capacity(gpu_1x_a10={"us-east-1": 15, "us-west-1": 15})
    given = {**INSTANCE, "types": ["gpu_1x_a10"], "regions": ["us-east-1", "us-west-1"]}
    cloud.lost = ["POST /instance-operations/launch"] * 3
    failures: list[BaseException] = []

    def launch(number: int) -> None:
        try:
            Engine(lambda_labs.Instance, f"gpu-{number}").create(**{**given, "name": f"gpu-{number}-1"})
        except BaseException as failure:  # noqa: BLE001 - what a thread raises would be lost
            failures.append(failure)

    threads = [threading.Thread(target=launch, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    names = [one["name"] for one in cloud.running()]
    assert sorted(names) == sorted(f"gpu-{number}-1" for number in range(20))
    assert {one["region"] for one in cloud.running()} == {"us-east-1", "us-west-1"}, (
        "the rest went where there was room"
    )


def test_a_quota_that_is_used_up_is_told_at_once(cloud: Cloud, key: Any) -> None:
    cloud.timing(quota=0)
    told = str(Engine(lambda_labs.Instance).failing_create(**INSTANCE))
    assert "global/quota-exceeded" in told
    assert cloud.requests.count("POST /instance-operations/launch") == 1, "another type does not help"
