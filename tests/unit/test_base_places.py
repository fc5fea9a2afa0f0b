"""Platforms whose objects are at addresses of their own: address and key are inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from providers import base
from providers.base import Call, Environment, Input, PlatformError, Trouble


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx.Request]]:
    requests: list[httpx.Request] = []
    refusals = iter([401])

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        refused = request.headers.get("api-key") == "new" and next(refusals, None)
        return httpx.Response(refused or 200, json={"message": "who are you?"})

    monkeypatch.setenv("STORE_ACCOUNT", "acc/1")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        monkeypatch.setitem(STORES.__dict__, "client", client)
        monkeypatch.setitem(STORES.__dict__, "_made", {})
        yield requests


STORES = base.Api(
    name="stores",
    title="Stores",
    base_url=Input("address"),
    auth=base.Bearer(Input("api_key"), header="api-key", prefix=""),
    said=lambda response: str(response.json()["message"]),
    limit=base.Unpublished(),
    constants={"account": Environment("STORE_ACCOUNT")},
)
READ = Call("GET", "/accounts/{account}/things/{id}", params={"of": "{account}"})


def values(place: str, key: str | None = None) -> dict[str, str | None]:
    return {"id": "t-1", "address": f"https://{place}.test:6333/", "api_key": key}


def test_each_object_is_asked_at_its_own_place_with_its_own_key(asked: list[httpx.Request]) -> None:
    for place in ("one", "two"):
        READ.send(STORES, values(place, f"key-of-{place}"))
    assert [(r.url.host, r.headers["api-key"]) for r in asked] == [
        ("one.test", "key-of-one"),
        ("two.test", "key-of-two"),
    ]


def test_no_key_is_shown_where_none_is_given(asked: list[httpx.Request]) -> None:
    READ.send(STORES, values("one"))
    assert "api-key" not in asked[0].headers


def test_paths_and_params_may_name_what_is_the_same_for_all(asked: list[httpx.Request]) -> None:
    READ.send(STORES, values("one"))
    assert asked[0].url.raw_path == b"/accounts/acc%2F1/things/t-1?of=acc%2F1"


@pytest.mark.parametrize(("made_here", "requests"), [(True, 2), (False, 1)])
def test_a_key_that_was_made_a_moment_ago_is_not_refused_for_long(
    asked: list[httpx.Request], made_here: bool, requests: int
) -> None:
    send: Callable[[], object] = lambda: READ.send(STORES, values("one", "new"))  # noqa: E731 - asked once, in two ways
    if made_here:
        STORES.has_made("new")
        send()
    else:
        with pytest.raises(PlatformError) as refused:
            send()
        assert refused.value.trouble is Trouble.CREDENTIALS
    assert len(asked) == requests


def test_an_address_that_only_inputs_say_is_asked_of_nobody_else() -> None:
    with pytest.raises(PlatformError, match="its address"):
        STORES.base_url.value()
