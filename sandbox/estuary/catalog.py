"""Live specifications with their status, and the connectors that there are, as GraphQL shows them."""

from __future__ import annotations

from graphql import GraphQLError

from sandbox.estuary import access, connectors, publications, seed, specs, status
from sandbox.estuary.identifiers import parsed_id
from sandbox.estuary.relay import Arguments, Resolver, connection
from sandbox.http import Call
from sandbox.store import Document

_PAGE = 100
_SUMMARIES = {"ok": "OK", "warning": "WARNING", "error": "ERROR", "taskDisabled": "TASK_DISABLED"}
_ADDED = "2023-01-01T00:00:00+00:00"


def live_specs(call: Call, arguments: Arguments) -> Document:
    """By ``names`` or by ``prefix``. A name that is not live, or not readable, has a reference all the same."""
    by, live = arguments["by"], publications.live(call.store)
    names, prefix = by.get("names"), by.get("prefix")
    if not names and not prefix:
        raise GraphQLError("must provide either `names` or `prefix`")
    if names and prefix:
        raise GraphQLError("cannot provide both `names` and `prefix`")
    if prefix:
        readable = [n for n in live if access.may(call.store, call.caller, "read", n)]
        names = sorted(name for name in readable if name.startswith(prefix))
        names = [n for n in names if by.get("catalogType") in (None, live[n]["spec_type"])]
        names = [n for n in names if by.get("dataPlaneName") in (None, live[n]["data_plane_name"])]
    references = [_reference(call, name, live) for name in sorted(set(names))]
    return connection(references, "catalogName", arguments, _PAGE)


def list_connectors(_: Call, arguments: Arguments) -> Document:
    wanted = arguments.get("filter") or {}
    protocol = (wanted.get("protocol") or {}).get("eq")
    found = [_connector(c) for c in connectors.ALL if protocol in (None, c.protocol)]
    found = [c for c in found if wanted.get("recommended") in (None, c["recommended"])]
    return connection(sorted(found, key=lambda c: str(c["imageName"])), "imageName", arguments, _PAGE)


def connector(_: Call, arguments: Arguments) -> Document | None:
    image, identifier = arguments.get("imageName"), arguments.get("id")
    if image is None and identifier is None:
        raise GraphQLError("must provide at least one of: id, imageName")
    for known in connectors.ALL:
        if image in (None, known.image) and (identifier is None or parsed_id(identifier) == known.id):
            return _connector(known)
    return None


def connector_spec(_: Call, arguments: Arguments) -> Document | None:
    """``null`` for an image that is not known; the default tag's for a tag that is not."""
    image, tag = connectors.split(arguments["fullImageName"])
    if not tag:
        raise GraphQLError(f"invalid full image name '{image}': it must have a tag, such as ':v1'")
    known = connectors.by_image(image)
    return _spec(known, known.tag(tag)) if known else None


def _reference(call: Call, name: str, live: dict[str, Document]) -> Document:
    capability = access.capability_at(call.store, call.caller, name)
    row = live.get(name) if capability != "none" else None
    reference: Document = {"catalogName": name, "userCapability": None if capability == "none" else capability}
    if row is None:
        return reference | {"liveSpec": None, "status": None, "lastPublication": None}
    return reference | {
        "liveSpec": lambda _: _live(call, row, live),
        "status": lambda _: _status(call, row),
        "lastPublication": {
            "detail": row["last_pub_detail"],
            "model": row["spec"],
            "publicationId": row["last_pub_id"],
            "publishedAt": row["updated_at"],
            "userEmail": access.email_of(call.store, row["last_pub_user_id"]),
            "userFullName": None,
            "userId": row["last_pub_user_id"],
        },
    }


def _live(call: Call, row: Document, live: dict[str, Document]) -> Document:
    def flows(member: str) -> Resolver:
        def resolve(_: Call, arguments: Arguments) -> Document:
            names = row[member] or ()
            return connection([_reference(call, name, live) for name in names], "catalogName", arguments, _PAGE)

        return resolve

    return {
        "catalogName": row["catalog_name"],
        "catalogType": row["spec_type"],
        "createdAt": row["created_at"],
        "dataPlaneId": seed.plane_id(row["data_plane_name"]),
        "isDisabled": specs.is_disabled(row["spec"]),
        "lastBuildId": row["last_build_id"],
        "lastPubId": row["last_pub_id"],
        "liveSpecId": row["id"],
        "model": row["spec"],
        "updatedAt": row["updated_at"],
        "readsFrom": lambda _, **arguments: flows("reads_from")(call, arguments),
        "writesTo": lambda _, **arguments: flows("writes_to")(call, arguments),
    }


def _status(call: Call, row: Document) -> Document:
    kind, message = status.summary_of(call.store, row)
    return {"type": _SUMMARIES[kind], "summary": message}


def _connector(known: connectors.Connector) -> Document:
    return {
        "id": known.id,
        "imageName": known.image,
        "title": known.title,
        "protocol": known.protocol,
        "createdAt": _ADDED,
        "externalUrl": known.documentation,
        "recommended": known.image.endswith(("postgres", "snowflake")),
        "defaultImageTag": known.default_tag,
        "defaultSpec": _spec(known, known.default_tag),
        "spec": lambda _, imageTag: _spec(known, imageTag) if imageTag in known.tags else None,  # noqa: N803 - the vendor's
    }


def _spec(known: connectors.Connector, tag: str) -> Document:
    return {
        "id": known.id,
        "imageTag": tag,
        "protocol": known.protocol,
        "documentationUrl": known.documentation,
        "disableBackfill": False,
        "endpointSpecSchema": known.endpoint,
        "resourceSpecSchema": known.resource,
    }


RESOLVERS: dict[str, Resolver] = {
    "liveSpecs": live_specs,
    "connectors": list_connectors,
    "connector": connector,
    "connectorSpec": connector_spec,
}
