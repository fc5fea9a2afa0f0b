"""``python -m health.pushing``: puts figures into the Pushgateway of a stack's monitoring, through the cluster's API server.

Runs where the stack's ESC environment is, because the cluster's credentials are only there; ``sophia`` does that. Reads one
JSON object from standard input: ``stack``, ``namespace`` and ``text``, figures in the text format of Prometheus, which take
the place of those that were put there before. Prints ``{}``, or ``{"error": {…}}`` and exits with 1.

Source of facts: prometheus/pushgateway, README ("PUT method"); kubernetes.io, "Access services running on clusters".
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from health.asking import Client
from health.base import Subject
from health.kubernetes import FILE
from health.monitoring import SERVICE, at_service
from providers.base.errors import PlatformError, explain

_SECONDS = 20.0


def main() -> int:
    given = json.load(sys.stdin)
    try:
        push(given)
    except PlatformError as error:
        json.dump({"error": _explained(error, given)}, sys.stdout)
        return 1
    json.dump({}, sys.stdout)
    return 0


def push(given: dict[str, Any]) -> None:
    """Raises PlatformError for a cluster that does not let it through, or a Pushgateway that does not take it."""
    subject = Subject({"namespace": given["namespace"]})
    path = at_service("pushgateway", f"metrics/job/sophia/stack/{given['stack']}")
    Client(SERVICE, subject, time.monotonic() + _SECONDS).send("PUT", path(subject), body=given["text"])


def _explained(error: PlatformError, given: dict[str, Any]) -> dict[str, str]:
    where = f"{FILE} in the ESC environment: its user may update services/proxy in {given['namespace']}"
    told = explain(error, "Monitoring: the figures did not get into the Pushgateway", where)
    return {"code": told.marker, "what": told.what, "said": told.said, "setting": told.setting, "do": told.do}


if __name__ == "__main__":
    sys.exit(main())
