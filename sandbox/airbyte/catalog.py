"""What a source has and how a connection may read it: stream discovery and the checks of configured streams.

The rules and the words of the errors follow airbytehq/airbyte-platform, AirbyteCatalogHelper.
"""

from __future__ import annotations

from typing import Any, Literal

from sandbox.airbyte.connectors import Connector, Stream
from sandbox.airbyte.workspaces import Camel
from sandbox.http import ApiError
from sandbox.store import Document

SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]

_MODES: dict[str, tuple[str, str]] = {
    "full_refresh_overwrite": ("full_refresh", "overwrite"),
    "full_refresh_overwrite_deduped": ("full_refresh", "overwrite_dedup"),
    "full_refresh_append": ("full_refresh", "append"),
    "full_refresh_update": ("full_refresh", "update"),
    "full_refresh_soft_delete": ("full_refresh", "soft_delete"),
    "incremental_append": ("incremental", "append"),
    "incremental_deduped_history": ("incremental", "append_dedup"),
    "incremental_update": ("incremental", "update"),
    "incremental_soft_delete": ("incremental", "soft_delete"),
}
"""A sync mode: how the source is read, and how the destination is written."""


class SelectedField(Camel):
    field_path: list[str] | None = None


class StreamSettings(Camel):
    name: str
    namespace: str | None = None
    sync_mode: SyncMode | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    selected_fields: list[SelectedField] | None = None
    mappers: list[dict[str, Any]] | None = None


def discovered(source: Connector | None, destination: Connector | None) -> list[Document]:
    """The streams of a source as GET /streams tells them; none where the sandbox cannot know them."""
    return [
        {
            "streamName": stream.name,
            "syncModes": _allowed(stream, destination),
            "defaultCursorField": [stream.cursor] if stream.cursor else [],
            "sourceDefinedCursorField": bool(stream.cursor),
            "sourceDefinedPrimaryKey": [[name] for name in stream.key],
            "propertyFields": [[name] for name in stream.fields],
        }
        for stream in (source.streams if source and source.streams else ())
    ]


def configured(
    source: Connector | None, destination: Connector | None, sent: list[StreamSettings]
) -> list[dict[str, Any]]:
    """The streams of a connection as they are kept: checked, with the platform's defaults filled in.

    Without any, all streams of the source are read whole and overwritten.
    """
    known = {stream.name: stream for stream in source.streams} if source and source.streams is not None else None
    if not sent:
        return [_kept(StreamSettings(name=stream.name), stream) for stream in (known or {}).values()]
    kept = []
    for settings in sent:
        stream = None if known is None else known.get(settings.name)
        if known is not None and stream is None:
            raise ApiError(
                400, f"Invalid stream found: {settings.name}. The list of valid streams include: {sorted(known)}."
            )
        if stream is not None:
            _check(settings, stream, destination)
        kept.append(_kept(settings, stream))
    names = [(settings.name, settings.namespace) for settings in sent]
    for name, namespace in names:
        if names.count((name, namespace)) > 1:
            raise ApiError(
                400, f"Duplicate stream found in configuration for stream name [{name}] in namespace [{namespace}]."
            )
    return kept


def _allowed(stream: Stream, destination: Connector | None) -> list[str]:
    reads = ("full_refresh", "incremental") if stream.cursor else ("full_refresh",)
    return [
        mode
        for mode, (read, write) in _MODES.items()
        if read in reads and (destination is None or write in destination.writes)
    ]


def _check(settings: StreamSettings, stream: Stream, destination: Connector | None) -> None:
    fields = _checked_fields(settings, stream)
    mode = settings.sync_mode
    if mode is None or mode == "full_refresh_overwrite":
        return
    allowed = _allowed(stream, destination)
    if mode not in allowed:
        raise ApiError(400, f"Cannot set sync mode to {mode} for stream {stream.name}. Valid sync modes are: {allowed}")
    if mode.startswith("incremental") and settings.cursor_field and settings.cursor_field != [stream.cursor]:
        raise ApiError(
            400,
            f"Cursor Field {settings.cursor_field} is already defined by source for stream: {stream.name}. "
            "Do not include a cursor field configuration for this stream.",
        )
    key = [[name] for name in stream.key]
    if _keyed(mode) and settings.primary_key and settings.primary_key != key:
        raise ApiError(
            400,
            f"Primary key for stream: {stream.name} is already pre-defined. "
            f"Please remove the primaryKey or provide the value as {key}.",
        )
    if fields is not None and _keyed(mode) and not set(stream.key) <= fields:
        raise ApiError(
            400,
            f"Primary key fields are not selected properly for stream: {stream.name}. "
            "Please include primary key(s) in the configuration for this stream.",
        )
    if fields is not None and mode.startswith("incremental") and stream.cursor not in fields:
        raise ApiError(
            400,
            f"Cursor field is not selected properly for stream: {stream.name}. "
            "Please include the cursor field in selected fields for this stream.",
        )


def _checked_fields(settings: StreamSettings, stream: Stream) -> set[str] | None:
    """The fields that are selected; ``None`` for all of them."""
    if settings.selected_fields is None:
        return None
    paths = [selected.field_path or [] for selected in settings.selected_fields]
    if not paths:
        raise ApiError(
            400,
            f"No fields selected for stream {stream.name}. "
            f"The list of valid field names includes: {list(stream.fields)}.",
        )
    if any(len(path) != 1 for path in paths):
        raise ApiError(400, f"Nested field selection not supported for stream {stream.name}.")
    names = {path[0] for path in paths}
    if len(names) != len(paths):
        raise ApiError(400, f"Duplicate fields selected in configuration for stream: {stream.name}.")
    if not names <= set(stream.fields):
        raise ApiError(
            400,
            f"Invalid fields selected for stream {stream.name}. "
            f"The list of valid field names includes: {list(stream.fields)}.",
        )
    return names


def _keyed(mode: str) -> bool:
    return mode.endswith(("deduped_history", "overwrite_deduped", "_update"))


def _kept(settings: StreamSettings, stream: Stream | None) -> dict[str, Any]:
    """Cursor and key are those of the source where it defines them; lists that were not sent read as empty."""
    mode = settings.sync_mode or "full_refresh_overwrite"
    cursor, key = settings.cursor_field or [], settings.primary_key or []
    if stream is not None:
        incremental = mode.startswith("incremental")
        cursor = [stream.cursor] if incremental else []
        key = [[name] for name in stream.key] if _keyed(mode) or incremental else []
    kept = {
        "name": settings.name,
        "namespace": settings.namespace,
        "syncMode": mode,
        "cursorField": cursor,
        "primaryKey": key,
        "includeFiles": settings.include_files,
        "destinationObjectName": settings.destination_object_name,
        "selectedFields": [field.model_dump(by_alias=True) for field in settings.selected_fields or []],
        "mappers": settings.mappers or [],
    }
    return {name: value for name, value in kept.items() if value is not None}
