"""Instances: launched where there is capacity, booting, active, terminated; each change takes somebody's looks.

A document has members of the emulator's own beside those that are shown: ``looks``, how often somebody has to look until
it has ``becomes``, and what was asked for that Lambda never shows (``image``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.lambda_labs import access, catalogue
from sandbox.store import Document, Store

_OWN = ("looks", "becomes", "image", "capacity_taken")
_OVER = ("terminated", "preempted")
_HOLDING = ("booting", "active", "unhealthy", "terminating")
"""The states in which an instance keeps what it uses from being deleted."""

_NO_CAPACITY = "instance-operations/launch/insufficient-capacity"
_WRONG_REGION = "instance-operations/launch/file-system-in-wrong-region"
_USER_DATA_LIMIT = 1_000_000


class Mount(access.Sent):
    mount_point: str = Field(pattern=r"^(/home|/lambda/nfs|/data)[//a-zA-Z0-9-]*$", max_length=256)
    file_system_id: str


class ImageById(access.Sent):
    id: str


class ImageByFamily(access.Sent):
    family: str


class Tag(access.Sent):
    key: str = Field(pattern=r"^[a-z][a-z0-9-:]+$", max_length=55)
    value: str = Field(max_length=128)


class RulesetReference(access.Sent):
    id: str


class LaunchBody(access.Sent):
    region_name: Literal[tuple(catalogue.REGIONS)]  # type: ignore[valid-type] # the regions are data
    instance_type_name: str
    ssh_key_names: Annotated[list[str], Field(min_length=1, max_length=1)]
    file_system_names: list[str] = Field(default_factory=list)
    file_system_mounts: list[Mount] = Field(default_factory=list)
    hostname: str | None = Field(default=None, pattern=r"^[a-z0-9][0-9a-z-]{0,62}$")
    name: str | None = Field(default=None, max_length=64)
    image: ImageById | ImageByFamily | None = None
    user_data: str | None = Field(default=None, max_length=_USER_DATA_LIMIT)
    tags: list[Tag] = Field(default_factory=list)
    firewall_rulesets: list[RulesetReference] = Field(default_factory=list)


class RenameBody(access.Sent):
    name: str | None = Field(default=None, max_length=64)


class IdsBody(access.Sent):
    instance_ids: list[str]


def list_types(call: Call) -> Response:
    return answer({"data": catalogue.offers(call.store)})


def list_images(_call: Call) -> Response:
    return answer({"data": catalogue.images()})


def list_instances(call: Call) -> Response:
    """What was terminated is not running, and not listed."""
    return answer({"data": [shown(one) for one in call.store.all("instance") if one["status"] not in _OVER]})


def read_instance(call: Call) -> Response:
    """Each look brings what is under way nearer to its end."""
    instance = _found(call, call.path("id"))
    if instance["looks"]:
        instance["looks"] -= 1
        if not instance["looks"]:
            _change(call.store, instance, instance["becomes"])
        call.store.put("instance", instance["id"], instance)
    return answer({"data": shown(instance)})


def rename_instance(call: Call) -> Response:
    instance, wanted = _found(call, call.path("id")), access.sent(call, RenameBody)
    instance["name"] = wanted.name or ""
    return answer({"data": shown(call.store.put("instance", instance["id"], instance))})


def launch(call: Call) -> Response:
    """One instance, if everything that it names is there, in its region, and has room."""
    wanted = access.sent(call, LaunchBody)
    store, where = call.store.latest, wanted.region_name
    offer = store.get("instance_type", wanted.instance_type_name)
    if offer is None:
        raise _absent(f"Instance type {wanted.instance_type_name}")
    if store.first("ssh_key", name=wanted.ssh_key_names[0]) is None:
        raise _absent(f"SSH key {wanted.ssh_key_names[0]}")
    mounts = _mounts(store, wanted, where)
    for ruleset in wanted.firewall_rulesets:
        found = store.get("firewall_ruleset", ruleset.id)
        if found is None or found["region"] != where:
            raise _absent(f"Firewall ruleset {ruleset.id} in {where}")
    _check_image(wanted.image, where)
    timing, running = access.timing(store), [i for i in store.all("instance") if i["status"] in _HOLDING]
    if len(running) >= timing["quota"]:
        raise ApiError(400, "Quota exceeded.", code=access.QUOTA)
    if not catalogue.take(call.store, offer["name"], where, 1):
        raise ApiError(400, "Not enough capacity to fulfill launch request.", code=_NO_CAPACITY)
    instance = _instance(wanted, offer, where, mounts)
    instance |= {"looks": timing["looks"], "becomes": timing["becomes"]}
    if not instance["looks"]:
        _change(call.store, instance, instance["becomes"])
    call.store.put("instance", instance["id"], instance)
    return answer({"data": {"instance_ids": [instance["id"]]}})


def terminate(call: Call) -> Response:
    """All or none: an id that is not there refuses the whole request."""
    wanted = access.sent(call, IdsBody)
    instances = [_found(call, id_) for id_ in wanted.instance_ids]
    for instance in instances:
        if instance["status"] in _OVER:
            continue
        instance |= {"status": "terminating", "looks": access.timing(call.store)["looks"], "becomes": "terminated"}
        if not instance["looks"]:
            _change(call.store, instance, "terminated")
        call.store.put("instance", instance["id"], instance)
    return answer({"data": {"terminated_instances": [shown(instance) for instance in instances]}})


def restart(call: Call) -> Response:
    wanted = access.sent(call, IdsBody)
    instances = [_found(call, id_) for id_ in wanted.instance_ids]
    return answer({"data": {"restarted_instances": [shown(instance) for instance in instances]}})


def shown(instance: Document) -> Document:
    """As Lambda shows it: addresses once it is active, mounts only where there are any."""
    visible = {name: value for name, value in instance.items() if name not in _OWN and value is not None}
    if not visible["file_system_mounts"]:
        del visible["file_system_mounts"]
    if instance["status"] != "active":
        visible = {name: value for name, value in visible.items() if name not in ("ip", "private_ip")}
    return {**visible, "region": catalogue.region(instance["region"]), "actions": _actions(instance["status"])}


def uses(store: Store, member: str, identifier: str) -> list[str]:
    """The ids of the instances that hold a filesystem (``file_system_id``) or a ruleset (``id``)."""
    lists = {"file_system_id": "file_system_mounts", "id": "firewall_rulesets"}
    return [
        instance["id"]
        for instance in store.latest.all("instance")
        if instance["status"] in _HOLDING and identifier in [one[member] for one in instance[lists[member]]]
    ]


def _instance(wanted: LaunchBody, offer: Document, where: str, mounts: list[Document]) -> Document:
    id_ = uuid4().hex
    number = int(id_[:4], 16)
    image = wanted.image.model_dump() if wanted.image else None
    return {
        "id": id_,
        "name": wanted.name,
        "ip": f"203.0.113.{number % 254 + 1}",
        "private_ip": f"10.19.{number % 250}.{number % 254 + 1}",
        "status": "booting",
        "ssh_key_names": wanted.ssh_key_names,
        "file_system_names": [mount["name"] for mount in mounts],
        "file_system_mounts": [{m: mount[m] for m in ("mount_point", "file_system_id")} for mount in mounts],
        "region": where,
        "instance_type": catalogue.shown(offer),
        "hostname": wanted.hostname or f"{number}.cloud.lambda.example",
        "tags": [tag.model_dump() for tag in wanted.tags],
        "firewall_rulesets": [ruleset.model_dump() for ruleset in wanted.firewall_rulesets],
        "image": image,
        "capacity_taken": True,
    }


def _mounts(store: Store, wanted: LaunchBody, where: str) -> list[Document]:
    """By name at the default place, by id where it is said; both must be of the instance's region."""
    found: dict[str, Document] = {}
    for name in wanted.file_system_names:
        filesystem = store.first("filesystem", name=name, region=where) or store.first("filesystem", name=name)
        found[_in(filesystem, where, name)["id"]] = {"mount_point": f"/lambda/nfs/{name}"}
    for mount in wanted.file_system_mounts:
        filesystem = store.get("filesystem", mount.file_system_id)
        found[_in(filesystem, where, mount.file_system_id)["id"]] = {"mount_point": mount.mount_point}
    names = {one["id"]: one["name"] for one in store.all("filesystem")}
    return [{**mount, "file_system_id": id_, "name": names[id_]} for id_, mount in found.items()]


def _in(filesystem: Document | None, where: str, named: str) -> Document:
    if filesystem is None:
        raise _absent(f"Filesystem {named}")
    if filesystem["region"] != where:
        said = f"Filesystem {filesystem['name']} is in {filesystem['region']}, not in {where}."
        raise ApiError(400, said, code=_WRONG_REGION)
    return filesystem


def _check_image(wanted: ImageById | ImageByFamily | None, where: str) -> None:
    if isinstance(wanted, ImageByFamily) and wanted.family not in catalogue.IMAGE_FAMILIES:
        raise _absent(f"Image family {wanted.family}")
    there = {image["id"] for image in catalogue.images() if image["region"]["name"] == where}
    if isinstance(wanted, ImageById) and wanted.id not in there:
        raise _absent(f"Image {wanted.id} in {where}")


def _change(store: Store, instance: Document, status: str) -> None:
    """What is over gives its place back."""
    instance["status"] = status
    if status in _OVER and instance["capacity_taken"]:
        catalogue.take(store, instance["instance_type"]["name"], instance["region"], -1)
        instance["capacity_taken"] = False


def _actions(status: str) -> dict[str, Any]:
    reasons = {
        "booting": ("vm-has-not-launched", "The instance has not launched yet."),
        "terminating": ("vm-is-terminating", "The instance is terminating."),
    }
    free: dict[str, Any] = {"available": status not in reasons and status not in _OVER}
    if status in reasons:
        code, said = reasons[status]
        free |= {"reason_code": code, "reason_description": said}
    names = ("migrate", "rebuild", "restart", "cold_reboot")
    return {**{name: dict(free) for name in names}, "terminate": {"available": status not in (*_OVER, "terminating")}}


def _found(call: Call, identifier: str) -> Document:
    instance = call.store.get("instance", identifier)
    if instance is None:
        raise _absent("Specified instance")
    return instance


def _absent(what: str) -> ApiError:
    return ApiError(404, f"{what} does not exist.", code=access.ABSENT)
