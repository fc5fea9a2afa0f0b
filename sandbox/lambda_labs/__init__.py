"""Lambda Cloud: GPU instances by the hour, with capacity that runs out and limits that bite."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Routes
from sandbox.lambda_labs import access, firewalls, instances, storage
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("lambda_labs", access.admit, access.render)

PLATFORM = Platform(
    name="lambda_labs",
    title="Lambda Cloud",
    routes=[
        _routes("/api/v1/instance-types", GET=instances.list_types),
        _routes("/api/v1/images", GET=instances.list_images),
        _routes("/api/v1/instances", GET=instances.list_instances),
        _routes("/api/v1/instances/{id}", GET=instances.read_instance, POST=instances.rename_instance),
        _routes("/api/v1/instance-operations/launch", POST=instances.launch),
        _routes("/api/v1/instance-operations/terminate", POST=instances.terminate),
        _routes("/api/v1/instance-operations/restart", POST=instances.restart),
        _routes("/api/v1/ssh-keys", GET=storage.list_keys, POST=storage.create_key),
        _routes("/api/v1/ssh-keys/{id}", DELETE=storage.delete_key),
        _routes("/api/v1/file-systems", GET=storage.list_filesystems),
        _routes("/api/v1/filesystems", POST=storage.create_filesystem),
        _routes("/api/v1/filesystems/{id}", DELETE=storage.delete_filesystem),
        _routes("/api/v1/firewall-rulesets", GET=firewalls.list_rulesets, POST=firewalls.create_ruleset),
        _routes("/api/v1/firewall-rulesets/global", GET=firewalls.read_global, PATCH=firewalls.update_global),
        _routes(
            "/api/v1/firewall-rulesets/{id}",
            GET=firewalls.read_ruleset,
            PATCH=firewalls.update_ruleset,
            DELETE=firewalls.delete_ruleset,
        ),
        _routes("/api/v1/firewall-rules", GET=firewalls.list_account_rules, PUT=firewalls.replace_account_rules),
    ],
    failure=_failure,
    credentials={
        "LAMBDA_CLOUD_BASE_URL": "{url}",
        "LAMBDA_API_KEY": access.API_KEY,
    },
    secret=frozenset({"LAMBDA_API_KEY"}),
    simulated=(
        "one account with a price list, capacity that is used up, SSH keys, filesystems, firewall rulesets and instances, "
        "one request a second and one launch in 12; no machine runs, no audit events"
    ),
)
