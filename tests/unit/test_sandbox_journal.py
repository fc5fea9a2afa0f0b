"""The journal: what it counts, and what it must never hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.journal import Journal, masked, masked_query
from sandbox.store import Database


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    database = Database(tmp_path / "sandbox.db")
    yield Journal(database)
    database.close()


def test_requests_are_counted_by_platform_and_method_from_a_mark_on(journal: Journal) -> None:
    journal.record("slack", "POST", "/api/chat.postMessage", status=200, milliseconds=1)
    mark = journal.last()
    for method in ("GET", "GET", "POST"):
        journal.record("airbyte", method, "/v1/workspaces", status=200, milliseconds=1)
    assert journal.counts(since=mark) == {"airbyte": {"GET": 2, "POST": 1}}
    assert journal.counts(methods=["post"]) == {"airbyte": {"POST": 1}, "slack": {"POST": 1}}
    assert [entry["platform"] for entry in journal.entries(platforms=["slack"])] == ["slack"]


def test_pulumi_cloud_is_shown_only_when_it_is_asked_for(journal: Journal) -> None:
    journal.record("pulumi", "GET", "/api/user", status=200, milliseconds=1)
    assert journal.counts() == {}
    assert journal.counts(platforms=["pulumi"]) == {"pulumi": {"GET": 1}}


def test_a_mark_stays_good_when_the_journal_is_cleared(journal: Journal) -> None:
    journal.record("slack", "POST", "/a", status=200, milliseconds=1)
    mark = journal.last()
    journal.clear()
    assert journal.last() == mark
    journal.record("slack", "POST", "/b", status=200, milliseconds=1)
    assert [entry["path"] for entry in journal.entries(since=mark)] == ["/b"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=5&token=abc", "limit=5&token=***"),
        ("access_token=abc&apiKey=def&client_secret=", "access_token=***&apiKey=***&client_secret=***"),
        ("code=abc&name=primary_key", "code=***&name=primary_key"),
        ("q=xoxb-123-abc", "q=***"),
        ("", ""),
    ],
)
def test_values_named_or_looking_like_credentials_are_masked_in_queries(query: str, expected: str) -> None:
    assert masked_query(query) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/services/T01/B02/abcdefgh", "/services/***"),
        ("/keys/sk-or-v1-0123456789abcdef", "/keys/***"),
        ("/v1/keys/5f1c2e", "/v1/keys/5f1c2e"),
    ],
)
def test_credentials_in_paths_are_masked(path: str, expected: str) -> None:
    assert masked(path) == expected
