"""A real browser for the tests of pages: headless Chromium, as the npm package ``@sparticuz/chromium`` has it inside.

Playwright drives it, and brings the Node that unpacks it. Nothing is downloaded but packages.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, sync_playwright

from tests.contract import npm

_LOCKED = Path(__file__).parent / "browser"
_UNPACKED = "unpacked"
_UNPACK = """
const fs = require("fs"), { brotliDecompressSync } = require("zlib"), [from, to] = process.argv.slice(1);
for (const file of fs.readdirSync(from).filter((name) => name.endsWith(".br")))
  fs.writeFileSync(`${to}/${file.slice(0, -3)}`, brotliDecompressSync(fs.readFileSync(`${from}/${file}`)));
"""
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{0}/fonts</dir><cachedir>{0}/fonts-cache</cachedir></fontconfig>
"""
_UNPACKING_SECONDS = 120


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a screen, until the block ends; skips where it cannot be had."""
    folder = npm.installed(_LOCKED, "A BROWSER", _unpack) / _UNPACKED
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LD_LIBRARY_PATH": f"{folder / 'lib'}:{folder}",
        "FONTCONFIG_FILE": str(folder / "sophia-fonts.conf"),
    }
    arguments = ["--headless=shell", "--no-sandbox", "--no-zygote", "--disable-gpu"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=folder / "chromium", args=arguments, env=dict(environment), chromium_sandbox=False
        )
        try:
            yield started
        finally:
            started.close()


def _unpack(folder: Path) -> str:
    to = folder / _UNPACKED
    to.mkdir(exist_ok=True)
    node, _ = compute_driver_executable()
    source = folder / "node_modules" / "@sparticuz" / "chromium" / "bin"
    command = [node, "-e", _UNPACK, str(source), str(to)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_UNPACKING_SECONDS, check=False)
    if done.returncode:
        return f"it cannot be unpacked: {done.stderr[-500:]}"
    for packed in to.glob("*.tar"):
        with tarfile.open(packed) as archive:
            archive.extractall(to, filter="data")
        packed.unlink()
    (to / "chromium").chmod(0o755)
    (to / "sophia-fonts.conf").write_text(_FONTS.format(to))
    started = subprocess.run(
        ["ldd", str(to / "chromium")],
        env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": f"{to / 'lib'}:{to}"},
        capture_output=True,
        text=True,
        timeout=_UNPACKING_SECONDS,
        check=False,
    )
    missing = [line.split()[0] for line in started.stdout.splitlines() if "not found" in line]
    if started.returncode or missing:
        return f"it does not run on this machine: {', '.join(missing) or started.stderr[-500:]}"
    return ""
