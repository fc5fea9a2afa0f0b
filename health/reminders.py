"""``python -m health.reminders``: makes an issue in Linear, or a task in Asana, of each credential that is due; once.

Runs where the stack's ESC environment is, because the keys of Linear and Asana are only there; ``sophia credentials STACK
--remind`` does that. Reads one JSON object from standard input: ``stack``; ``place``, which is the stack's output
``incidents.reminders``; ``due``: ``[{"handle", "name", "title", "text"}]``; ``renewed``: handles. A handle stands for a
credential and the day on which it was due, and is what a reminder is found again by.

Prints ``{"made": [handles], "there": [handles], "closed": [handles], "failed": [{"handle", "said"}]}``. What one of them
does not take keeps nothing else from being done.

Source of facts: Linear's GraphQL schema (an issue's id may be chosen by who makes it), Asana's OpenAPI description.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from providers.asana_calls import ASANA, ask, listing
from providers.base.errors import PlatformError, Trouble
from providers.linear_calls import LINEAR, derived_id, graphql

_PATIENCE_SECONDS = "20"
"""The next run, six hours later, does what this one could not."""

_OVER = ("completed", "canceled")


@dataclass(frozen=True)
class Reminder:
    """A credential that is due, in words for the person who is to renew it."""

    handle: str
    name: str
    title: str
    text: str


class Place(Protocol):
    """Where reminders are."""

    def make(self, reminder: Reminder) -> bool:
        """Makes the reminder; False where it was there before, open or not. Raises PlatformError."""

    def close(self, handle: str) -> None:
        """Closes a reminder that is open. Raises PlatformError."""


@dataclass(frozen=True)
class Linear:
    """Issues by a template. Their ids follow from the handles, so that Linear itself refuses a second one."""

    stack: str
    team: str
    template: str
    done: str

    def make(self, reminder: Reminder) -> bool:
        issue = {
            "id": self._id(reminder.handle),
            "teamId": self.team,
            "templateId": self.template,
            "title": reminder.title,
            "description": reminder.text,
        }
        try:
            _ISSUE_CREATE.send(LINEAR, {}, issue)
        except PlatformError as error:
            if error.trouble is Trouble.CONFLICT:
                return False
            raise
        return True

    def close(self, handle: str) -> None:
        """An issue that somebody has closed, archived or deleted stays as it is."""
        try:
            issue = _ISSUE.send(LINEAR, {"id": self._id(handle)})
        except PlatformError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return
            raise
        if issue["state"]["type"] not in _OVER and not issue.get("archivedAt"):
            _ISSUE_UPDATE.send(LINEAR, {"id": issue["id"]}, {"stateId": self.done})

    def _id(self, handle: str) -> str:
        return derived_id("reminder", self.stack, handle)


_ISSUE = graphql("query ($id: String!) { issue(id: $id) { id archivedAt state { type } } }", "data.issue", id="{id}")
_ISSUE_CREATE = graphql(
    "mutation ($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { id } } }",
    "data.issueCreate.issue",
)
_ISSUE_UPDATE = graphql(
    "mutation ($id: String!, $input: IssueUpdateInput!) "
    "{ issueUpdate(id: $id, input: $input) { success issue { id } } }",
    "data.issueUpdate.issue",
    id="{id}",
)


@dataclass
class Asana:
    """Tasks of one project. Each carries its handle at the end of its notes: an external id is for OAuth apps alone."""

    stack: str
    project: str
    due: str
    renewed: str
    field: str | None = None

    def make(self, reminder: Reminder) -> bool:
        if reminder.handle in self._there:
            return False
        task = {
            "name": reminder.title,
            "notes": f"{reminder.text}\n\n{self._mark(reminder.handle)}",
            "projects": [self.project],
            **({"custom_fields": {self.field: reminder.name}} if self.field else {}),
        }
        made = ask("POST", "/tasks").send(ASANA, {}, task)
        self._move(str(made["gid"]), self.due)
        return True

    def close(self, handle: str) -> None:
        """A task that somebody has completed or deleted stays as it is."""
        task = self._there.get(handle)
        if task is None or task["completed"]:
            return
        ask("PUT", "/tasks/{id}").send(ASANA, {"id": task["gid"]}, {"completed": True})
        self._move(str(task["gid"]), self.renewed)

    def _move(self, task: str, section: str) -> None:
        ask("POST", "/sections/{id}/addTask").send(ASANA, {"id": section}, {"task": task})

    def _mark(self, handle: str) -> str:
        return f"{self.stack} {handle}"

    @cached_property
    def _there(self) -> Mapping[str, dict[str, Any]]:
        """The tasks of this stack's reminders, done or not, by handle."""
        tasks = listing("/projects/{project}/tasks", fields="completed,notes")
        marked = (
            (str(one.get("notes") or "").rpartition("\n")[2], one)
            for one in tasks.fetch(ASANA, {"project": self.project})
        )
        prefix = self._mark("")
        return {mark.removeprefix(prefix): one for mark, one in marked if mark.startswith(prefix)}


def place_of(stack: str, told: Mapping[str, str]) -> Place:
    """The place that the stack's output names."""
    members = {name: value for name, value in told.items() if name != "to"}
    return Linear(stack, **members) if told["to"] == "linear" else Asana(stack, **members)


def remind(place: Place, due: Sequence[Reminder], renewed: Sequence[str]) -> dict[str, Any]:
    """Makes and closes; the answer as it is printed."""
    made: list[str] = []
    there: list[str] = []
    closed: list[str] = []
    failed: list[dict[str, str]] = []
    for reminder in due:
        try:
            (made if place.make(reminder) else there).append(reminder.handle)
        except PlatformError as error:
            failed.append({"handle": reminder.handle, "said": error.said})
    for handle in renewed:
        try:
            place.close(handle)
        except PlatformError as error:
            failed.append({"handle": handle, "said": error.said})
        else:
            closed.append(handle)
    return {"made": made, "there": there, "closed": closed, "failed": failed}


def main() -> int:
    os.environ.setdefault("SOPHIA_PATIENCE_SECONDS", _PATIENCE_SECONDS)
    request = json.load(sys.stdin)
    due = [Reminder(**one) for one in request["due"]]
    answer = remind(place_of(request["stack"], request["place"]), due, request["renewed"])
    json.dump(answer, sys.stdout, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
