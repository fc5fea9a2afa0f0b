"""Workflows as files: read, filled in with what differs from stage to stage, and looked at before anything is sent.

A file is what n8n exports (Download in a workflow's menu). What belongs to one instance (ids, versions, tags, whether it
is published) is left aside: the stack file says it. ``credentials`` of a node name, as their ``name``, an entry of
``sophia-ai:n8n.credentials``, whose id takes its place. ``@@name@@`` in a parameter stands for a value that the
workflow's ``values`` give.

Source of facts: n8n's public API description 1.1.1 and the node descriptions of n8n-nodes-base.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parents[2]
"""Where the stack files are, and what the paths in them are relative to."""

PLACE = re.compile(r"@@([a-z][a-z0-9_-]*)@@")

_CONTENT = ("nodes", "connections", "settings")
_WEBHOOKS = ("n8n-nodes-base.webhook", "n8n-nodes-base.formTrigger")
_ON_ERRORS = "n8n-nodes-base.errorTrigger"
_STARTED_BY_HAND = ("n8n-nodes-base.manualTrigger", "@n8n/n8n-nodes-langchain.manualChatTrigger")
"""Triggers that do nothing by themselves: n8n publishes no workflow that has no other."""

_SECRET = re.compile(
    r"\b(sk-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}|lin_api_\w{10,}"
    r"|pat-[a-z]{2}\d-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,})|-----BEGIN [A-Z ]*PRIVATE KEY|\b(Bearer|Basic) [\w.+/=-]{12,}"
    r"|://[^/\s:@]+:[^/\s@]+@"
)
"""What keys, tokens and addresses with passwords look like, by their vendors' own prefixes."""

_SECRET_MEMBER = re.compile(r"authorization|api[-_ ]?key|token|secret|password", re.IGNORECASE)
_STAGE_NAMES = {
    "dev": ("dev", "development"),
    "staging": ("staging", "stage"),
    "prod": ("prod", "production"),
}
_ADDRESS = re.compile(r"https?://[^\s\"'{}<>]+")


class WorkflowFileError(ValueError):
    """A file that cannot be read as a workflow; the text says why."""


@dataclass(frozen=True)
class WorkflowFile:
    """The content of a workflow: ``path`` is relative to the stack file."""

    path: str
    nodes: list[dict[str, Any]]
    connections: dict[str, Any]
    settings: dict[str, Any]

    @property
    def credentials(self) -> Iterator[tuple[str, str, str]]:
        """Every credential that is used: the node's name, the credential's type, its key in the settings."""
        for node in self.nodes:
            for type_, used in (node.get("credentials") or {}).items():
                yield node["name"], type_, str(used.get("name", "")) if isinstance(used, Mapping) else ""

    @property
    def places(self) -> set[str]:
        """The names of the values that the parameters ask for."""
        return {name for _, text in self.texts() for name in PLACE.findall(text)}

    @property
    def starts_by_itself(self) -> bool:
        """Whether it has a trigger that n8n can wait on."""
        return any(
            ("trigger" in node["type"].lower() or node["type"] in _WEBHOOKS)
            and node["type"] not in _STARTED_BY_HAND
            and not node.get("disabled")
            for node in self.nodes
        )

    @property
    def takes_errors(self) -> bool:
        """Whether n8n can start it when another workflow fails."""
        return any(node["type"] == _ON_ERRORS and not node.get("disabled") for node in self.nodes)

    @property
    def webhooks(self) -> Iterator[tuple[str, str]]:
        """Method and path of every webhook, with the values' places as they stand."""
        for node in self.nodes:
            if node["type"] in _WEBHOOKS and not node.get("disabled"):
                parameters = node.get("parameters") or {}
                method = parameters.get("httpMethod", "GET")
                for one in method if isinstance(method, list) else [method]:
                    yield str(one), str(parameters.get("path", "")).strip("/")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text in the parameters, with its node's name."""
        for node in self.nodes:
            for text in _texts(node.get("parameters") or {}):
                yield node["name"], text

    def mistakes(self) -> Iterator[str]:
        """What is wrong in the file, whatever stage it is for; each names the node."""
        names = [node["name"] for node in self.nodes]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f'{names.count(name)} nodes are called "{name}": connections go by names, each node needs its own'
        yield from self._broken_connections({*names})
        for node in self.nodes:
            if node["type"] in _WEBHOOKS and not node.get("webhookId"):
                yield f'node "{node["name"]}": has no webhookId, without which its address is not /webhook/<path>'
            yield from self._literal_secrets(node)
        for name, type_, key in self.credentials:
            if not key:
                yield f'node "{name}": its {type_} must name, as `name`, an entry of sophia-ai:n8n.credentials'

    def _broken_connections(self, names: set[str]) -> Iterator[str]:
        for source, kinds in self.connections.items():
            if source not in names:
                yield f'connections: there is no node "{source}" to go out from'
            for outputs in kinds.values():
                for target in (one for output in outputs for one in output or []):
                    if target.get("node") not in names:
                        yield f'connections: "{source}" goes to a node "{target.get("node")}", which is not there'

    def _literal_secrets(self, node: Mapping[str, Any]) -> Iterator[str]:
        """A secret's text is never told."""
        told = f'node "{node["name"]}": has a secret in its parameters: make it a credential'
        parameters = node.get("parameters") or {}
        if any(_SECRET.search(text) for text in _texts(parameters)) or any(_secret_members(parameters)):
            yield f"{told} (sophia-ai:n8n.credentials)"

    def of_other_stages(self, stage: str, values: Mapping[str, str]) -> Iterator[str]:
        """A mistake for each address, with the ``values`` in it that are known, that is another stage's."""
        others = {name: other for other, names in _STAGE_NAMES.items() if other != stage for name in names}
        for node, text in self.texts():
            filled = PLACE.sub(lambda place: values.get(place[1], place[0]), text)
            for address in _ADDRESS.findall(filled):
                host = urlsplit(address).hostname or ""
                found = next((others[part] for part in re.split(r"[.-]", host) if part in others), None)
                if found:
                    yield f'node "{node}": {host} is of {found}, and this is {stage}: make it one of `values`'

    def nodes_with(
        self, credential: Callable[[str], Any], fill: Callable[[str, list[str]], Any]
    ) -> list[dict[str, Any]]:
        """The nodes as they are sent: ``credential`` gives an id by its key, ``fill`` a text with its places filled."""

        def filled(value: Any) -> Any:
            if isinstance(value, str):
                places = PLACE.findall(value)
                return fill(value, places) if places else value
            if isinstance(value, dict):
                return {key: filled(item) for key, item in value.items()}
            return [filled(item) for item in value] if isinstance(value, list) else value

        return [
            {
                **node,
                "parameters": filled(node.get("parameters") or {}),
                **(
                    {"credentials": {t: {"id": credential(used["name"])} for t, used in node["credentials"].items()}}
                    if node.get("credentials")
                    else {}
                ),
            }
            for node in self.nodes
        ]


def read(path: str) -> WorkflowFile:
    """The workflow in a file. Raises ``WorkflowFileError`` for one that is none."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise WorkflowFileError("must be a path under the folder of the stack file, such as workflows/digest.json")
    try:
        document = json.loads((PROJECT / path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WorkflowFileError("there is no such file beside the stack file") from error
    except OSError as error:
        raise WorkflowFileError(str(error.strerror)) from error
    except ValueError as error:
        raise WorkflowFileError(f"is no JSON: {error}") from error
    return parse(path, document)


def parse(path: str, document: Any) -> WorkflowFile:
    """A workflow of its JSON document. Raises ``WorkflowFileError`` where its shape is not that of one."""
    if not isinstance(document, dict):
        raise WorkflowFileError("is no workflow: a JSON object is expected")
    for name in _CONTENT:
        expected = list if name == "nodes" else dict
        if not isinstance(document.get(name, {} if name == "settings" else None), expected):
            raise WorkflowFileError(f"{name} is missing, or has another form than n8n's")
    if document.get("pinData"):
        raise WorkflowFileError("has pinData, recorded data that may be people's: unpin them in n8n, and export again")
    for index, node in enumerate(document["nodes"]):
        lacks = [
            name
            for name, type_ in (("name", str), ("type", str), ("typeVersion", (int, float)), ("position", list))
            if not isinstance(node, dict) or not isinstance(node.get(name), type_)
        ]
        if lacks:
            raise WorkflowFileError(f"nodes[{index}] has no {' and no '.join(lacks)}")
    return WorkflowFile(path, document["nodes"], document["connections"], document.get("settings") or {})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _secret_members(value: Any) -> Iterator[bool]:
    """Headers and the like (``name``, ``value``) that by their name have a secret, and have it as a literal."""
    if isinstance(value, dict):
        named, literal = value.get("name"), value.get("value")
        if isinstance(named, str) and isinstance(literal, str) and _SECRET_MEMBER.search(named):
            yield bool(literal) and not literal.startswith("=") and not PLACE.search(literal)
        for item in value.values():
            yield from _secret_members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_members(item)
