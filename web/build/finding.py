"""Finds the browsers of this machine, and brings one to a machine that has none. Standard library only.

A program that is found and does not start (a stub of Ubuntu's that only names a snap, a browser whose libraries are
missing) is passed over, and named in the end if nothing better comes.
"""

from __future__ import annotations

import ctypes.util
import glob
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .errors import NO_BROWSER, Stop, say
from .paths import WINDOWS

WINDOWS_PROGRAMS = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
CHROMIUMS = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    *(rf"{folder}\Google\Chrome\Application\chrome.exe" for folder in WINDOWS_PROGRAMS),
]
FIREFOXES = [
    "firefox",
    "firefox-esr",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    *(rf"{folder}\Mozilla Firefox\firefox.exe" for folder in WINDOWS_PROGRAMS),
]
STARTS_WITHIN = 60  # seconds for a browser to tell its version; a cold disk is slow
# Prints where Playwright keeps its Chromium. A process of its own: Playwright can't be started within itself.
PLAYWRIGHTS_PATH = """from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)"""


class NoBrowser(Stop):
    """No usable browser; the message, one line, says what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, NO_BROWSER)


def last_line(text: str) -> str:
    """The last line of a program's output that says something, short enough to be quoted."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def trouble(program: str) -> str:
    """Why a browser can't be started, in one line; nothing if it can."""
    if WINDOWS:  # there a browser that is asked for its version opens a window
        return ""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=STARTS_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not tell its version within {STARTS_WITHIN} s"
    except OSError as error:
        return str(error.strerror or error)
    if done.returncode == 0 and re.search(r"\d+\.\d", done.stdout):
        return ""
    return last_line(done.stderr) or last_line(done.stdout) or f"it ended with code {done.returncode}"


def named(variable: str) -> str | None:
    """The program that an environment variable names, if it is set; NoBrowser where that is none that starts."""
    name = os.environ.get(variable)
    if not name:
        return None
    found = shutil.which(os.path.expanduser(name))
    if not found:
        raise NoBrowser(f"{variable}={name}: no such program")
    if why := trouble(found):
        raise NoBrowser(f"{variable}={name} does not start: {why}")
    return str(Path(found).absolute())


def first_that_starts(programs: Iterable[str | None], tried: dict[str, str]) -> str | None:
    """The first of `programs` that starts; `tried` takes up why the others don't."""
    for program in programs:
        if program and program not in tried:
            tried[program] = trouble(program)
            if not tried[program]:
                return program
    return None


def installed(names: Sequence[str]) -> Iterator[str | None]:
    """Those of `names` that this machine has."""
    return map(shutil.which, names)


def debians(package: str, names: Sequence[str]) -> Iterator[str | None]:
    """The browser of a package of Debian's, installed now if that is possible."""
    if install(package):
        yield from installed(names)


def install(*packages: str) -> bool:
    """Install packages of Debian's, where that is possible: as root on a Debian or its like."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    say(f"installing {' '.join(packages)}")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:  # of the installation: an update that failed may have left what is needed
        say(f"apt-get could not install {' '.join(packages)}: {last_line(done.stderr)}")
    return done.returncode == 0


def playwrights_own() -> Iterator[str | None]:
    """Playwright's own Chromium, downloaded if need be and if its site can be reached."""
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"} | os.environ  # milliseconds
    python = [sys.executable, "-X", "utf8"]
    asked = subprocess.run([*python, "-c", PLAYWRIGHTS_PATH], capture_output=True, encoding="utf-8", check=False)
    path = asked.stdout.strip()
    if path and not Path(path).exists():
        say("no Chromium on this machine: fetching Playwright's")
        command = [*python, "-m", "playwright", "install", "--no-shell", "chromium"]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            reasons = re.findall(r"^.*Error: (.*)$", done.stderr, re.MULTILINE)
            say(f"Playwright could not fetch it: {reasons[0][:200] if reasons else last_line(done.stderr)}")
    if path and Path(path).exists():
        yield path


def find_chromium() -> str:
    """CHROME_BIN, a Chromium or Chrome of this machine, Playwright's own, Debian's package, in this order.

    Raises NoBrowser where none of them starts.
    """
    if found := named("CHROME_BIN"):
        return found
    tried: dict[str, str] = {}
    ways: list[Callable[[], Iterator[str | None]]] = [
        lambda: installed(CHROMIUMS),
        playwrights_own,
        lambda: debians("chromium", CHROMIUMS),
    ]
    for programs in ways:
        if found := first_that_starts(programs(), tried):
            return found
    why = "".join(f"; {program} does not start: {reason}" for program, reason in tried.items())
    raise NoBrowser(f"no Chromium found: install Chrome or Chromium, or name one in CHROME_BIN{why}")


def find_firefox() -> str | None:
    """FIREFOX_BIN, a Firefox of this machine, Debian's package, in this order. (Playwright's speaks no BiDi.)

    Raises NoBrowser where FIREFOX_BIN names none that starts.
    """
    if found := named("FIREFOX_BIN"):
        return found
    tried: dict[str, str] = {}
    return first_that_starts(installed(FIREFOXES), tried) or first_that_starts(debians("firefox-esr", FIREFOXES), tried)


def lavapipe() -> str | None:
    """The description of Mesa's software Vulkan driver, which Firefox and native wgpu run on."""
    return next(iter(glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")), None)


def software_vulkan() -> None:
    """Have Vulkan's loader and a software driver on Linux, if that is possible."""
    if sys.platform == "linux" and not (ctypes.util.find_library("vulkan") and lavapipe()):
        install("libvulkan1", "mesa-vulkan-drivers")
