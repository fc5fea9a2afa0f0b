"""The dashboard's page in a real browser: its figures are those of the views, and what it cannot show it says in words."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlglot
import yaml
from playwright.sync_api import Browser, Page, expect
from sqlglot import exp
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from components.dashboard import FILES, MAIN, PAGE, sql
from tests import dashboard_warehouse as warehouse
from tests.contract.browser import browser

REPOSITORY = Path(__file__).parents[2]
_SECONDS = 120


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@contextmanager
def served(directory: Path, state: str) -> Iterator[str]:
    """The page over a warehouse in this state; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    address, log = f"http://127.0.0.1:{port}", directory / "streamlit.log"
    command = [sys.executable, str(Path(__file__).parent / "page_server.py"), str(port), state]
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(REPOSITORY)}
    with log.open("w") as written:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=written, stderr=written)
        try:
            _wait(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(20)


@retry(stop=stop_after_delay(_SECONDS), wait=wait_fixed(0.2), retry=retry_if_exception_type(httpx.HTTPError))
def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        pytest.fail(f"the page ended with {process.returncode}: {log.read_text()[-2000:]}")
    httpx.get(f"{address}/_stcore/health", timeout=5).raise_for_status()


@contextmanager
def opened(chromium: Browser, address: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 2400})
    page.set_default_timeout(_SECONDS * 1000)
    expect.set_options(timeout=_SECONDS * 1000)
    page.goto(address)
    expect(page.get_by_role("heading", name="Executive dashboard")).to_be_visible()
    try:
        yield page
    finally:
        if folder := os.environ.get("SOPHIA_SCREENSHOTS"):
            name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        page.close()


def cards(page: Page) -> dict[str, tuple[str, str]]:
    """By its title, what a card tells: the figure, and what changed."""
    found = {}
    for card in page.get_by_test_id("stMetric").all():
        title = card.get_by_test_id("stMetricLabel").inner_text().strip()
        change = card.get_by_test_id("stMetricDelta")
        found[title] = (
            card.get_by_test_id("stMetricValue").inner_text().strip(),
            change.inner_text().strip() if change.count() else "",
        )
    return found


def table(page: Page, number: int) -> list[list[str]]:
    rows = page.get_by_test_id("stTable").nth(number).locator("tbody tr").all()
    return [[cell.inner_text().strip() for cell in row.locator("th, td").all()] for row in rows]


def test_the_page_shows_the_figures_of_the_views(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path, "filled") as address, opened(chromium, address) as page:
        expect(page.get_by_text("The ten largest operators in 2026-03")).to_be_visible()
        expect(page.get_by_role("heading", name="What the figures mean")).to_be_visible()
        assert cards(page) == {
            "Recurring revenue": ("212 USD", "+72 USD"),
            "Market share": ("0.50 %", "+0.10 points"),
            "Acquisition cost": ("2,500 USD", "+500 USD"),
        }
        targets = [text for text in page.get_by_test_id("stCaptionContainer").all_inner_texts() if "Target" in text]
        assert targets == ["Target 20,000 USD: missed.", "Target 0.40 %: reached.", "Target 4,000 USD: reached."]
        assert table(page, 0) == [
            ["op-1", "212 USD", "212 USD", "91.39 %"],
            ["op-2", "20 USD", "0 USD", "8.61 %"],
            ["op-3", "0 USD", "0 USD", "0.00 %"],
        ]
        assert table(page, 1) == [["Paid search", "4,000 USD", "1", "4,000 USD"]]
        assert table(page, 2)[0] == ["collections", "3", "2026-03-21"]
        words = page.inner_text("body")
        assert "2 payments and collections of 2026-03 have no fee" in words
        assert "116,000 apartments of customers in 2026-03, of 23,200,000 in the market as of 2025-01-01" in words
        assert "collections: the newest is 25 days old, 7 are allowed." in words
        assert "Fees of the payments and collections settled in the month" in words
        assert page.get_by_test_id("stVegaLiteChart").count() == 2

        page.get_by_role("combobox").click()
        page.get_by_role("option", name="2026-02").click()
        expect(page.get_by_text("The ten largest operators in 2026-02")).to_be_visible()
        expect(page.get_by_text("By channel in 2026-02")).to_be_visible()
        assert cards(page)["Recurring revenue"] == ("141 USD", "+137 USD")
        assert cards(page)["Market share"] == ("0.40 %", "")
        assert cards(page)["Acquisition cost"] == ("2,000 USD", "-1,000 USD")
        assert table(page, 1) == [
            ["Paid search", "2,000 USD", "1", "2,000 USD"],
            ["Paid social", "1,000 USD", "0", "none"],
            ["Referrals", "0 USD", "1", "0 USD"],
        ]
        assert page.get_by_test_id("stException").count() == 0


def test_an_empty_warehouse_is_told_in_words(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path, "empty") as address, opened(chromium, address) as page:
        expect(page.get_by_text("There are no data yet")).to_be_visible()
        expect(page.get_by_test_id("stTable")).to_be_visible()
        assert table(page, 0) == [
            [name, "0", "none"] for name in ("collections", "deals", "payments", "spend", "units")
        ]
        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stMetric").count() == 0


def test_what_snowflake_refuses_is_told_in_words(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path, "broken") as address, opened(chromium, address) as page:
        expect(page.get_by_text("The figures cannot be read.")).to_be_visible()
        words = page.inner_text("body")
        assert "does not exist" in words
        assert "sophia health" in words
        assert "Traceback" not in words
        assert page.get_by_test_id("stException").count() == 0


def test_the_page_asks_for_what_the_views_have_and_puts_nothing_of_its_readers_into_sql() -> None:
    module = ast.parse((PAGE / MAIN).read_text())
    queries = {
        node.target.id: ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }
    calls = [
        node for node in ast.walk(module) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "asked"
    ]
    assert calls
    assert all(isinstance(call.args[0], ast.Name) and call.args[0].id in queries for call in calls)
    views = {key.replace("-", "_").upper(): view.sql for key, view in sql.views(warehouse.settings()).items()}
    for call in calls:
        parsed = sqlglot.parse_one(queries[call.args[0].id], read="snowflake")  # type: ignore[attr-defined]  # a name
        assert isinstance(parsed, exp.Select)
        (asked,) = parsed.find_all(exp.Table)
        given = sqlglot.parse_one(warehouse.named(views[asked.name]), read="snowflake")
        assert isinstance(given, exp.Select)
        assert {column.name for column in parsed.find_all(exp.Column)} <= set(given.named_selects)


def test_what_snowflake_runs_the_page_with_is_near_what_runs_it_here() -> None:
    environment = yaml.safe_load((PAGE / "environment.yml").read_text())
    assert environment["channels"] == ["snowflake"], "a page in a warehouse gets packages from nowhere else"
    asked = dict(re.split(r"=+", one, maxsplit=1) for one in environment["dependencies"] if "=" in one)
    assert asked["python"] == "3.11.*"
    assert asked["streamlit"].split(".")[0] == "1"
    assert {path.name for path in PAGE.iterdir() if path.is_file()} == set(FILES)
