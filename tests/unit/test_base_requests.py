"""The one HTTP client: what is sent again, what is waited for, and whom an error blames."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pyrate_limiter import Limiter

from providers import base
from providers.base import Environment, Trouble
from providers.base.errors import PlatformError

Answer = httpx.Response | Exception
ENOUGH = base.Limit(requests=10_000, seconds=1)


class Platform:
    """Gives the answers it was told, one a request, then 200; keeps the requests and the pauses between them."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[httpx.Request] = []
        self.shown: list[str] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.shown.append(request.headers.get("authorization", ""))
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={"ok": True})
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    found = Platform()
    monkeypatch.setenv("TOY_URL", "http://toy.test/v1")
    monkeypatch.setenv("TOY_KEY", "toy-credential")
    monkeypatch.setattr("tenacity.nap.time.sleep", found.pauses.append)
    # The request that was refused waits by itself; that all others wait too is test_base_pace's affair.
    monkeypatch.setattr("providers.base.pace.Pace.refused", lambda *_: None)
    return found


MakeApi = Callable[..., base.Api]


@pytest.fixture
def make_api(platform: Platform) -> Iterator[MakeApi]:
    clients = []

    def make(**more: Any) -> base.Api:
        declared: dict[str, Any] = {
            "name": "toy",
            "title": "Toy",
            "base_url": Environment("TOY_URL"),
            "auth": base.Bearer(Environment("TOY_KEY")),
            "said": lambda response: str(response.json()["message"]),
            "limit": ENOUGH,
        }
        api = base.Api(**{**declared, **more})
        clients.append(httpx.Client(transport=httpx.MockTransport(platform)))
        api.__dict__["client"] = clients[-1]
        return api

    yield make
    for client in clients:
        client.close()


def refused(status: int, message: str = "no", **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"message": message}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def trouble(api: base.Api, method: str = "GET", path: str = "/things") -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        api.request(method, path, body={} if method != "GET" else None)
    return caught.value


def test_a_busy_platform_says_how_long_to_wait(platform: Platform, make_api: MakeApi) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    platform.answers = [refused(429, retry_after="7"), refused(429, retry_after=later), refused(429)]
    assert make_api().request("POST", "/things", body={}) == {"ok": True}
    assert platform.pauses[0] == 7
    assert 30 < platform.pauses[1] <= 40, "a date is as good as a number"
    assert 0 < platform.pauses[2] < 30, "without a word, our own backoff"


def test_a_wait_that_is_too_long_is_an_error_and_not_a_silence(platform: Platform, make_api: MakeApi) -> None:
    platform.answers = [refused(429, "come back tomorrow", retry_after="86400")]
    error = trouble(make_api(), "POST")
    assert (error.trouble, platform.pauses) == (Trouble.BUSY, [])
    assert "come back tomorrow" in error.said


def test_what_comes_after_a_refusal_for_a_day_is_not_asked(
    platform: Platform, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("TOY_URL", "http://toy.test/v1")
    monkeypatch.setenv("TOY_KEY", "toy-credential")
    platform.answers = [refused(429, "come back tomorrow", retry_after="86400")]
    api = make_api()
    assert "come back tomorrow" in trouble(api).said
    error = trouble(api)
    assert (error.trouble, len(platform.requests)) == (Trouble.BUSY, 1)
    assert "Toy has refused an earlier request and takes none for another 24 h 0 min" in error.said


def test_a_name_and_its_secret_are_shown_as_one_and_never_told(
    platform: Platform, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECRET", "toy:secret")
    api = make_api(auth=base.Basic(Environment("TOY_KEY"), Environment("TOY_SECRET")))
    api.request("GET", "/things")
    assert platform.shown == ["Basic dG95LWNyZWRlbnRpYWw6dG95OnNlY3JldA=="], (
        "RFC 7617: the name ends at the first colon"
    )
    assert set(api.secrets()) == {"toy:secret", "dG95LWNyZWRlbnRpYWw6dG95OnNlY3JldA=="}
    platform.answers = [refused(401)]
    assert trouble(api).variables == "TOY_KEY and TOY_SECRET"


@pytest.mark.parametrize(
    "answer",
    [
        refused(500),
        refused(503, retry_after="1"),
        refused(408),
        httpx.ReadTimeout("silence"),
        httpx.RemoteProtocolError("cut"),
        httpx.WriteError("cut"),
        httpx.Response(200, text='{"id": "t-'),
    ],
    ids=["500", "503", "408", "timeout", "cut", "cut while sending", "half an answer"],
)
def test_only_what_can_be_done_twice_is_sent_twice(platform: Platform, make_api: MakeApi, answer: Answer) -> None:
    platform.answers = [answer]
    assert trouble(make_api(), "POST").outcome_unknown
    assert len(platform.requests) == 1
    platform.answers = [answer]
    assert make_api().request("GET", "/things") == {"ok": True}
    assert len(platform.requests) == 3


def test_a_call_that_the_platform_lacks_is_not_tried_for_minutes(platform: Platform, make_api: MakeApi) -> None:
    platform.answers = [refused(501, "not in the open-source edition")]
    error = trouble(make_api())
    assert (error.trouble, len(platform.requests)) == (Trouble.INVALID, 1)
    assert not error.outcome_unknown


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_never_came_about_is_tried_again_whatever_it_was(
    platform: Platform, make_api: MakeApi, method: str
) -> None:
    platform.answers = [httpx.ConnectError("refused")]
    assert make_api().request(method, "/things") == {"ok": True}
    assert len(platform.requests) == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [("toy.test/v1", "http"), ("http://[::1/v1", "[::1"), ("http://elsewhere.test", "https://right.test/v1/things")],
    ids=["no scheme", "no address at all", "sent on"],
)
def test_a_wrong_address_blames_the_address(
    platform: Platform, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    monkeypatch.setenv("TOY_URL", url)
    platform.answers = [httpx.Response(301, headers={"location": "https://right.test/v1/things"})]
    api = make_api()
    if "elsewhere" not in url:  # The real client refuses these before it connects to anything.
        del api.__dict__["client"]
    error = trouble(api, "POST")
    api.client.close()
    assert error.trouble is Trouble.UNREACHABLE
    assert said in error.said


@pytest.mark.parametrize("value", ["“quoted”", "two\nlines"])
def test_a_credential_that_was_pasted_wrongly_is_named_and_not_shown(
    platform: Platform, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TOY_KEY", value)
    error = trouble(make_api())
    assert (error.trouble, error.variables, platform.requests) == (Trouble.CREDENTIALS, "TOY_KEY", [])
    assert value not in error.said


def test_an_error_under_200_that_is_no_json_is_an_unknown_outcome(platform: Platform, make_api: MakeApi) -> None:
    api = make_api(trouble=lambda response: None if response.json()["ok"] else Trouble.INVALID)
    for text in ("<html>maintenance</html>", "[]", ""):
        platform.answers = [httpx.Response(200, text=text)]
        assert trouble(api, "POST").trouble is Trouble.UNANSWERED


def test_an_error_page_is_told_by_its_status(platform: Platform, make_api: MakeApi) -> None:
    platform.answers = [httpx.Response(404, text="<html>nothing here</html>", headers={"x-request-id": "r-1"})]
    assert trouble(make_api()).said == "404 Not Found (request r-1)"


def test_a_form_has_no_python_in_it(platform: Platform, make_api: MakeApi) -> None:
    body = {"topic": None, "is_private": True, "limit": 200, "users": ["U1", "U2"], "name": "a b"}
    make_api(form=True).request("POST", "/conversations.create", body=body)
    sent = dict(httpx.QueryParams(platform.requests[0].content.decode()))
    assert sent == {"topic": "", "is_private": "true", "limit": "200", "users": '["U1", "U2"]', "name": "a b"}


def test_names_in_a_path_cannot_reach_another_object(platform: Platform, make_api: MakeApi) -> None:
    base.Call("DELETE", "/things/{id}").send(make_api(), {"id": "../boxes/b 1?x=y"})
    assert platform.requests[0].url.raw_path == b"/v1/things/..%2Fboxes%2Fb%201%3Fx%3Dy"


@pytest.fixture
def exchanging(make_api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> base.Api:
    monkeypatch.setenv("TOY_ID", "client")
    monkeypatch.setenv("TOY_SECRET", "client-secret")
    credentials = (Environment("TOY_ID"), Environment("TOY_SECRET"))
    auth = base.TokenExchange("/token", credentials, lambda *given: {"given": str(given)}, Environment("TOY_URL"))
    return make_api(auth=auth)


def granted(token: str, seconds: float | None = 900) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, "expires_in": seconds})


def test_a_token_is_exchanged_once_and_renewed_once_when_it_is_refused(
    platform: Platform, exchanging: base.Api
) -> None:
    platform.answers = [granted("t-1"), httpx.Response(200, json={}), refused(401), granted("t-2")]
    exchanging.request("GET", "/things")
    assert exchanging.request("POST", "/things", body={"name": "one"}) == {"ok": True}
    assert platform.shown == ["", "Bearer t-1", "Bearer t-1", "", "Bearer t-2"]
    assert [r.url.path for r in platform.requests] == [
        f"/v1/{p}" for p in ("token", "things", "things", "token", "things")
    ]
    assert json.loads(platform.requests[-1].content) == {"name": "one"}, "what is sent again is the whole request"
    platform.answers = [refused(401), granted("t-3"), refused(401, "still not")]
    error = trouble(exchanging)
    assert (error.trouble, error.variables) == (Trouble.CREDENTIALS, "TOY_ID and TOY_SECRET")
    assert platform.answers == []


def test_headers_of_the_exchange_go_nowhere_else(platform: Platform, exchanging: base.Api) -> None:
    assert isinstance(exchanging.auth, base.TokenExchange)
    exchanging.auth.exchange_headers = {"X-Version": "2026-04"}
    platform.answers = [granted("t-1")]
    exchanging.request("GET", "/things")
    assert [r.headers.get("X-Version") for r in platform.requests] == ["2026-04", None]


def test_eight_threads_share_one_exchange(platform: Platform, exchanging: base.Api) -> None:
    platform.answers = [granted("t-1")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: exchanging.request("GET", "/things"), range(8)))
    assert [r.url.path for r in platform.requests].count("/v1/token") == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400), Trouble.CREDENTIALS),
        (refused(500), Trouble.UNREACHABLE),
        (httpx.ReadTimeout("silence"), Trouble.UNREACHABLE),
        (httpx.Response(200, text="<html>"), Trouble.UNREACHABLE),
        (httpx.Response(200, json={"token": "x"}), Trouble.UNREACHABLE),
    ],
    ids=["refused", "broken", "silent", "a page", "no token"],
)
def test_an_exchange_that_fails_is_not_taken_for_a_create_that_may_have_worked(
    platform: Platform, exchanging: base.Api, monkeypatch: pytest.MonkeyPatch, answer: Answer, kind: Trouble
) -> None:
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    platform.answers = [answer]
    error = trouble(exchanging, "POST")
    assert error.trouble is kind
    assert [r.url.path for r in platform.requests] == ["/v1/token"]


def test_a_token_without_a_lifetime_is_used(platform: Platform, exchanging: base.Api) -> None:
    platform.answers = [granted("t-1", None)]
    assert exchanging.request("GET", "/things") == {"ok": True}


def test_limits_are_kept_over_all_threads_and_by_path(
    platform: Platform, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    lock = threading.Lock()

    def counted(limiter: Limiter, name: str) -> bool:
        with lock:
            turns.append(id(limiter))
        return True

    monkeypatch.setattr(Limiter, "try_acquire", counted)
    api = make_api(limits={"/info": base.Limit(50, 60, each_path=True)})
    paths = ["/things", "/things/1", "/info.a", "/info.b"] * 50
    before = threading.active_count()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: api.request("GET", path), paths))
    assert len(turns) == len(paths)
    assert len(set(turns)) == 3, "one for all, and one for each path under its own limit"
    assert threading.active_count() - before <= 3, "a limiter has a thread: one a request would use up the machine"
