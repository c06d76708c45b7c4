"""The browser for the report page; `python -m tests.browser.chromium` gets one where it can.

Debian's package where root runs it, or else Playwright's download, which stays in the virtual
environment. Both have a time limit: a machine that reaches neither goes without.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from playwright.sync_api import Error, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = (
    "no browser is installed: `make browser` gets one, with apt-get as root or from "
    f"cdn.playwright.dev; or put {', '.join(NAMES[:-1])} or {NAMES[-1]} on PATH"
)
# As root in a container, and without anything that the browser would fetch for itself.
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_FETCH_S: Final = 150


def launch(playwright: Playwright) -> Browser | None:
    """Start an installed browser, or else Playwright's own; None if none starts."""
    for path in (*filter(None, map(shutil.which, NAMES)), None):
        try:
            return playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS])
        except Error:
            continue
    return None


def use_own_downloads() -> None:
    """Keep Playwright's browser beside its package, not in the home folder; before it starts."""
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = "0"


def main() -> int:
    """Get a browser if none starts; 1 (and a line that says how) if that fails."""
    use_own_downloads()
    if _starts() or (_from_apt() and _starts()) or (_from_playwright() and _starts()):
        return 0
    print(MISSING, file=sys.stderr)
    return 1


def _starts() -> bool:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is not None:
            browser.close()
        return browser is not None


def _from_apt() -> bool:
    """Only what is fetched has a time limit: an installation is not cut off in the middle."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    return (
        _ran(["apt-get", "update"], _FETCH_S)
        and _ran([*install, "--download-only"], _FETCH_S)
        and _ran(install, None)
    )


def _from_playwright() -> bool:
    return _ran(
        [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"], _FETCH_S
    )


def _ran(command: list[str], limit_s: float | None) -> bool:
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
