"""The streams of NATS and their consumers: what each is, in the words of the server, and the script that makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from components.kubernetes.nats_settings import ConsumerSettings, StreamSettings, seconds
from components.kubernetes.values import amount

SCRIPT_NAME: Final = "apply.sh"
_NANOSECONDS: Final = 10**9

SCRIPT: Final = r"""#!/bin/sh
# Makes the streams and consumers whose definitions are in this directory, and changes those that exist.
# It deletes nothing: what is on the server only is named, with the command that deletes it.
set -u
here=${STREAMS:-$(dirname "$0")}
tries=${TRIES:-60}
failed=0

nats() {
    command nats --inbox-prefix "$NATS_INBOX_PREFIX" "$@"
}

fail() {
    printf 'failed: %s\n' "$1" >&2
    printf '  said  %s\n' "$2" >&2
    printf '  do    %s\n' "$3" >&2
    failed=1
}

until names=$(nats stream ls --names 2>&1); do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        fail "NATS at $NATS_URL lists no streams" "$names" "look at the pods of the stateful set nats"
        exit 1
    fi
    sleep 2
done

listed() {
    printf '%s\n' "$names" | grep -qxF -e "$1"
}

for file in "$here"/stream.*.json; do
    [ -e "$file" ] || break
    stream=${file##*/stream.}
    stream=${stream%.json}
    if listed "$stream"; then
        if said=$(nats stream edit "$stream" --config "$file" --force 2>&1); then
            printf 'stream %s is as it should be\n' "$stream"
        else
            fail "the stream $stream cannot be changed" "$said" \
                "storage and work queues cannot be changed: name the new stream otherwise, move its readers, delete this one"
            continue
        fi
    elif said=$(nats stream add "$stream" --config "$file" 2>&1); then
        printf 'stream %s made\n' "$stream"
    else
        fail "the stream $stream cannot be made" "$said" "correct nats.streams in the stack file"
        continue
    fi
    consumers=$(nats consumer ls "$stream" --names 2>&1)
    for definition in "$here"/consumer."$stream".*.json; do
        [ -e "$definition" ] || break
        consumer=${definition##*/consumer."$stream".}
        consumer=${consumer%.json}
        if printf '%s\n' "$consumers" | grep -qxF -e "$consumer"; then
            doing=changed
            said=$(nats consumer edit "$stream" "$consumer" --config "$definition" --force 2>&1)
        else
            doing=made
            said=$(nats consumer add "$stream" "$consumer" --config "$definition" 2>&1)
        fi && printf 'consumer %s of %s is as it should be\n' "$consumer" "$stream" || fail \
            "the consumer $consumer of $stream cannot be $doing" "$said" \
            "where it starts and how it acknowledges cannot be changed: give the new consumer another name"
    done
    for consumer in $consumers; do
        [ -e "$here/consumer.$stream.$consumer.json" ] || printf \
            'kept: consumer %s of %s is not in the settings; nats consumer rm %s %s -f deletes it\n' \
            "$consumer" "$stream" "$stream" "$consumer"
    done
done
for stream in $names; do
    [ -e "$here/stream.$stream.json" ] || printf \
        'kept: stream %s is not in the settings; nats stream rm %s -f deletes it with its messages\n' "$stream" "$stream"
done
exit "$failed"
"""


def files(streams: Mapping[str, StreamSettings]) -> dict[str, str]:
    """The script and the definitions that it reads, by the names of their files."""
    made = {SCRIPT_NAME: SCRIPT}
    for stream in streams.values():
        made[f"stream.{stream.name}.json"] = _written(stream_definition(stream))
        for consumer in stream.consumers.values():
            made[f"consumer.{stream.name}.{consumer.name}.json"] = _written(consumer_definition(consumer))
    return made


def stream_definition(settings: StreamSettings) -> dict[str, Any]:
    """A stream as the API of JetStream has it (ADR-31 and the schema io.nats.jetstream.api.v1.stream_configuration)."""
    return {
        "name": settings.name,
        "description": settings.description,
        "subjects": list(settings.subjects),
        "retention": settings.retention,
        "max_consumers": -1,
        "max_msgs_per_subject": -1,
        "max_msgs": -1,
        "max_bytes": int(amount(settings.max_bytes)),
        "max_age": seconds(settings.max_age) * _NANOSECONDS,
        "max_msg_size": int(amount(settings.max_message_size)),
        "storage": settings.storage,
        "discard": settings.discard,
        "num_replicas": settings.replicas,
        "duplicate_window": seconds(settings.duplicate_window) * _NANOSECONDS,
        "compression": settings.compression,
        "allow_direct": True,
        "deny_delete": False,
        "deny_purge": False,
        "metadata": {"managed-by": "sophia-ai"},
    }


def consumer_definition(settings: ConsumerSettings) -> dict[str, Any]:
    """A consumer as the API of JetStream has it."""
    definition: dict[str, Any] = {
        "durable_name": settings.name,
        "name": settings.name,
        "description": settings.description,
        "deliver_policy": settings.deliver,
        "ack_policy": settings.acknowledge,
        "replay_policy": "instant",
        "max_waiting": 512,
        "metadata": {"managed-by": "sophia-ai"},
    }
    if settings.acknowledge != "none":
        definition["ack_wait"] = seconds(settings.ack_wait) * _NANOSECONDS
        definition["max_deliver"] = settings.max_deliver
        definition["max_ack_pending"] = settings.max_ack_pending
    if len(settings.filters) == 1:
        definition["filter_subject"] = settings.filters[0]
    elif settings.filters:
        definition["filter_subjects"] = list(settings.filters)
    return definition


def _written(definition: Mapping[str, Any]) -> str:
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
