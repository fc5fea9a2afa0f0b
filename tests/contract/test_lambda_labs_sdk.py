"""The Python client that is made of Lambda's own description makes a round trip through the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.lambda_labs import PLATFORM, access

pytest.importorskip("lambda_ai_cloud_api_client", reason="the client is absent")

from lambda_ai_cloud_api_client import AuthenticatedClient, models
from lambda_ai_cloud_api_client.api.filesystems import create_filesystem, filesystem_delete, list_filesystems
from lambda_ai_cloud_api_client.api.firewalls import (
    create_firewall_ruleset,
    delete_firewall_ruleset,
    firewall_rules_list,
    get_global_firewall_ruleset,
    update_firewall_ruleset,
)
from lambda_ai_cloud_api_client.api.images import list_images
from lambda_ai_cloud_api_client.api.instances import (
    get_instance,
    launch_instance,
    list_instance_types,
    list_instances,
    post_instance,
    terminate_instance,
)
from lambda_ai_cloud_api_client.api.ssh_keys import add_ssh_key, delete_ssh_key, list_ssh_keys

REGION = models.PublicRegionCode.US_EAST_1


@pytest.fixture
def client(serve: Callable[[Any], Any]) -> Iterator[AuthenticatedClient]:
    emulator = serve(PLATFORM)
    unhurried = {"looks": 1, "request_seconds": 0.0, "launch_seconds": 0.0}
    emulator.app.state.stores("lambda_labs").put("timing", "account", unhurried)
    with AuthenticatedClient(base_url=emulator.url, token=access.API_KEY) as found:
        yield found


def data(answered: Any) -> Any:
    """What is in a good answer; the client has one class for each status."""
    assert answered is not None
    assert hasattr(answered, "data"), answered
    return answered.data


def test_an_instance_and_all_that_belongs_to_it_make_a_round_trip(client: AuthenticatedClient) -> None:
    key = data(add_ssh_key.sync(client=client, body=models.AddSSHKeyRequest(name="operators")))
    assert isinstance(key, models.GeneratedSSHKey)
    filesystem = data(
        create_filesystem.sync(client=client, body=models.FilesystemCreateRequest(name="models", region=REGION))
    )
    rule = models.FirewallRule(
        protocol=models.NetworkProtocol.TCP, port_range=[22, 22], source_network="203.0.113.7", description="SSH"
    )
    ruleset = data(
        create_firewall_ruleset.sync(
            client=client, body=models.FirewallRulesetCreateRequest(name="nodes", region=REGION, rules=[rule])
        )
    )
    renamed = models.FirewallRulesetPatchRequest(name="gpu-nodes")
    assert data(update_firewall_ruleset.sync(ruleset.id, client=client, body=renamed)).name == "gpu-nodes"

    offers = data(list_instance_types.sync(client=client)).additional_properties
    assert REGION in [region.name for region in offers["gpu_1x_a10"].regions_with_capacity_available]
    assert data(list_images.sync(client=client))
    launch = models.InstanceLaunchRequest(
        region_name=REGION,
        instance_type_name="gpu_1x_a10",
        ssh_key_names=["operators"],
        file_system_mounts=[
            models.RequestedFilesystemMountEntry(mount_point="/lambda/nfs/models", file_system_id=filesystem.id)
        ],
        hostname="gpu-a",
        name="gpu-a",
        image=models.ImageSpecificationFamily(family="lambda-stack-24-04"),
        user_data="#cloud-config",
        tags=[models.RequestedTagEntry(key="team", value="ai")],
        firewall_rulesets=[models.FirewallRulesetEntry(id=ruleset.id)],
    )
    (id_,) = data(launch_instance.sync(client=client, body=launch)).instance_ids
    instance = data(get_instance.sync(id_, client=client))
    assert instance.status == models.InstanceStatus.ACTIVE
    assert [tag.key for tag in instance.tags] == ["team"]
    new_name = models.InstanceModificationRequest(name="gpu-b")
    assert data(post_instance.sync(id_, client=client, body=new_name)).name == "gpu-b"
    assert [one.id for one in data(list_instances.sync(client=client))] == [id_]
    assert data(list_filesystems.sync(client=client))[0].is_in_use

    ids = models.InstanceTerminateRequest(instance_ids=[id_])
    (ending,) = data(terminate_instance.sync(client=client, body=ids)).terminated_instances
    assert ending.status == models.InstanceStatus.TERMINATING
    assert data(get_instance.sync(id_, client=client)).status == models.InstanceStatus.TERMINATED
    assert data(filesystem_delete.sync(filesystem.id, client=client)).deleted_ids == [filesystem.id]
    data(delete_firewall_ruleset.sync(ruleset.id, client=client))
    data(delete_ssh_key.sync(key.id, client=client))
    assert data(list_ssh_keys.sync(client=client)) == []


def test_the_client_understands_a_refusal(client: AuthenticatedClient) -> None:
    launch = models.InstanceLaunchRequest(
        region_name=models.PublicRegionCode.ME_WEST_1, instance_type_name="gpu_1x_a10", ssh_key_names=["operators"]
    )
    data(add_ssh_key.sync(client=client, body=models.AddSSHKeyRequest(name="operators")))
    refused: Any = launch_instance.sync(client=client, body=launch)
    assert refused.error.code == "instance-operations/launch/insufficient-capacity"


def test_the_accounts_rules_can_be_read(client: AuthenticatedClient) -> None:
    assert data(get_global_firewall_ruleset.sync(client=client)).rules
    assert data(firewall_rules_list.sync(client=client))
