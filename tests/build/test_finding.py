"""Every way to a browser, on stand-ins that hide what this machine has: its PATH, Playwright's folder, its packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from web.build import browser, chat, finding
from web.build.errors import NO_BROWSER, Stop

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

GOOD = "echo Chromium 150.0.1"
STUB = "echo this command requires a snap to be installed >&2; exit 1"
LACKING = "echo error while loading shared libraries: libnss3.so >&2; exit 127"
DIES = """[ "$1" = --version ] && echo Chromium 150.0.1 && exit
echo "FATAL: No usable sandbox!" >&2; exit 1"""
PLAYWRIGHT = """
from types import SimpleNamespace
class sync_playwright:
    def __enter__(self):
        return SimpleNamespace(chromium=SimpleNamespace(executable_path={path!r}))
    def __exit__(self, *error):
        pass
"""
PLAYWRIGHT_INSTALLS = """
import pathlib, sys
assert sys.argv[1] == "install", sys.argv
path = pathlib.Path({path!r})
path.parent.mkdir()
path.write_text("#!/bin/sh\\n" + {content!r})
path.chmod(0o755)
"""
PLAYWRIGHT_FAILS = """
import sys
print("Error: getaddrinfo ENOTFOUND browsers.example\\n    at somewhere\\nFailed to install browsers", file=sys.stderr)
sys.exit(1)
"""
APT = """echo "$@" >> {log}
case "$*" in
  *update*) exit {update};;
  *install*chromium*) [ {install} = 0 ] && printf '#!/bin/sh\\n{content}' > {bin}/chromium && chmod +x {bin}/chromium;
    echo "E: Unable to locate package" >&2; exit {install};;
esac"""


class Machine:
    """A machine that has nothing but what it is given."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.bin, self.packages = folder / "the programs", folder / "packages"
        self.bin.mkdir()
        (self.packages / "playwright").mkdir(parents=True)
        (self.packages / "playwright" / "__init__.py").touch()
        patch.setenv("PATH", str(self.bin))
        patch.setenv("PYTHONPATH", str(self.packages))
        for name in ("CHROME_BIN", "FIREFOX_BIN"):
            patch.delenv(name, raising=False)
        patch.setattr(finding, "CHROMIUMS", [name for name in finding.CHROMIUMS if "/" not in name])
        patch.setattr(finding, "FIREFOXES", [name for name in finding.FIREFOXES if "/" not in name])
        self.is_root(False)
        self.playwright(PLAYWRIGHT_FAILS)

    def program(self, name: str, script: str, folder: Path | None = None) -> str:
        path = (folder or self.bin) / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def is_root(self, root: bool) -> None:
        self.patch.setattr(os, "geteuid", lambda: 0 if root else 1000)

    def playwright(self, main: str, content: str = GOOD) -> str:
        path = str(self.folder / "playwright's" / "chrome")
        (self.packages / "playwright" / "sync_api.py").write_text(PLAYWRIGHT.format(path=path))
        (self.packages / "playwright" / "__main__.py").write_text(main.format(path=path, content=content))
        return path

    def debian(self, update: int = 0, install: int = 0, content: str = GOOD) -> Path:
        self.is_root(True)
        log = self.folder / "apt.log"
        places = {"log": f"'{log}'", "bin": f"'{self.bin}'"}
        self.program(
            "apt-get", f"PATH=/usr/bin:/bin; {APT.format(update=update, install=install, content=content, **places)}"
        )
        return log


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def none_found() -> str:
    with pytest.raises(Stop) as stop:
        finding.find_chromium()
    assert stop.value.code == NO_BROWSER
    assert "\n" not in str(stop.value)
    return str(stop.value)


def test_the_one_that_is_named(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.program("chromium", GOOD)
    named = machine.program("my browser", GOOD, tmp_path)
    monkeypatch.setenv("CHROME_BIN", named)
    assert finding.find_chromium() == named
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHROME_BIN", "./my browser")
    assert os.path.samefile(finding.find_chromium(), named)
    assert Path(finding.find_chromium()).is_absolute()  # the tests run elsewhere
    monkeypatch.setenv("CHROME_BIN", "chromium")
    assert finding.find_chromium() == str(machine.bin / "chromium")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", "no such program"),
        ("a folder", "no such program"),
        ("plain.txt", "no such program"),
        ("stub", "does not start: this command requires a snap to be installed"),
        ("silent", "does not start: it ended with code 3"),
        ("no version", "does not start: hello"),
        ("no program", "does not start: Exec format error"),
    ],
)
def test_the_one_that_is_named_is_no_browser(
    name: str, says: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.program("chromium", GOOD)  # what is named is wanted, not another one
    (tmp_path / "a folder").mkdir()
    (tmp_path / "plain.txt").touch()
    machine.program("stub", STUB, tmp_path)
    machine.program("silent", "exit 3", tmp_path)
    machine.program("no version", "echo hello", tmp_path)
    (tmp_path / "no program").write_bytes(b"\x7fELF")
    (tmp_path / "no program").chmod(0o755)
    monkeypatch.setenv("CHROME_BIN", str(tmp_path / name))
    assert none_found() == f"CHROME_BIN={tmp_path / name}" + (": " if "such" in says else " ") + says


def test_one_on_the_path(machine: Machine) -> None:
    machine.program("google-chrome", GOOD)
    assert finding.find_chromium() == str(machine.bin / "google-chrome")


def test_one_that_does_not_start_is_passed_over(machine: Machine) -> None:
    machine.program("chromium", STUB)
    machine.program("google-chrome-stable", GOOD)
    assert finding.find_chromium() == str(machine.bin / "google-chrome-stable")


def test_playwrights_own_is_there(machine: Machine) -> None:
    path = machine.playwright("raise SystemExit('it must not be fetched')")
    Path(path).parent.mkdir()
    machine.program("chrome", GOOD, Path(path).parent)
    assert finding.find_chromium() == path


def test_playwrights_own_is_fetched(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    path = machine.playwright(PLAYWRIGHT_INSTALLS)
    assert finding.find_chromium() == path
    assert capsys.readouterr().err == "no Chromium on this machine: fetching Playwright's\n"


def test_playwrights_own_lacks_libraries(machine: Machine) -> None:
    path = machine.playwright(PLAYWRIGHT_INSTALLS, LACKING)
    assert f"{path} does not start: error while loading shared libraries: libnss3.so" in none_found()
    machine.debian()
    assert finding.find_chromium() == str(machine.bin / "chromium")


def test_debians_package(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    log = machine.debian()
    assert finding.find_chromium() == str(machine.bin / "chromium")
    assert [line.split()[-1] for line in log.read_text().splitlines()] == ["update", "chromium"]
    told = capsys.readouterr().err.splitlines()
    assert told[1:] == ["Playwright could not fetch it: getaddrinfo ENOTFOUND browsers.example", "installing chromium"]
    assert finding.find_chromium() == str(machine.bin / "chromium")  # and is there from now on
    assert len(log.read_text().splitlines()) == 2


def test_debians_lists_cannot_be_fetched_and_are_there(machine: Machine) -> None:
    machine.debian(update=100)
    assert finding.find_chromium() == str(machine.bin / "chromium")


def test_debians_package_cannot_be_installed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.debian(install=100)
    assert none_found().startswith("no Chromium found: install Chrome or Chromium, or name one in CHROME_BIN")
    assert "apt-get could not install chromium: E: Unable to locate package" in capsys.readouterr().err


def test_debians_package_is_a_stub(machine: Machine) -> None:
    machine.program("chromium-browser", STUB)
    machine.debian(content=LACKING)
    told = none_found()
    assert f"{machine.bin}/chromium-browser does not start: this command requires a snap" in told
    assert f"{machine.bin}/chromium does not start: error while loading" in told


def test_none_at_all(machine: Machine) -> None:
    assert none_found() == "no Chromium found: install Chrome or Chromium, or name one in CHROME_BIN"


def test_without_playwright(machine: Machine) -> None:
    (machine.packages / "playwright" / "sync_api.py").write_text("raise ImportError")
    assert none_found() == "no Chromium found: install Chrome or Chromium, or name one in CHROME_BIN"


def test_firefox(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finding.find_firefox() is None
    machine.program("firefox", STUB)
    assert finding.find_firefox() is None
    machine.program("firefox-esr", "echo Mozilla Firefox 140.1esr")
    assert finding.find_firefox() == str(machine.bin / "firefox-esr")
    monkeypatch.setenv("FIREFOX_BIN", str(tmp_path / "none"))
    with pytest.raises(Stop, match="no such program") as stop:
        finding.find_firefox()
    assert stop.value.code == NO_BROWSER


# With Playwright itself, which can't be started within itself.


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Playwright's real package, in a machine without browsers; gives the path of its Chromium, not yet there."""
    chromium = finding.find_chromium()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROME_BIN", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")

    def install() -> str:
        command = [sys.executable, "-c", finding.PLAYWRIGHTS_PATH]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert path.startswith(str(tmp_path))
        Path(path).parent.mkdir(parents=True)
        Path(path).write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\nexec "{chromium}" "$@"\n')
        Path(path).chmod(0o755)
        return path

    return install


@pytest.mark.slow
@pytest.mark.browsers
def test_the_real_playwright_finds_its_own(real: Callable[[], str]) -> None:
    path = real()
    with browser.chromium() as started:
        assert started.binary == path
        page = started.browser().new_page()
        page.set_content("<title>it draws</title>")
        assert page.title() == "it draws"


@pytest.mark.slow
@pytest.mark.browsers
def test_the_real_playwright_cannot_fetch_its_own(real: Callable[[], str]) -> None:
    with pytest.raises(Stop) as stop, browser.chromium():
        pass
    assert str(stop.value).startswith("no Chromium found")
    assert stop.value.code == NO_BROWSER


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dies", "told"), [("echo one; echo XPCOMGlueLoad error >&2; exit 1", "XPCOMGlueLoad error"), ("exit 9", "code 9")]
)
def test_a_firefox_that_starts_and_dies(dies: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fox").write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo Mozilla Firefox 150.0 && exit\n{dies}\n')
    (tmp_path / "fox").chmod(0o755)
    monkeypatch.setenv("FIREFOX_BIN", str(tmp_path / "fox"))
    with pytest.raises(Stop, match=f"fox does not start: .*{told}$") as stop, browser.firefox():
        pass
    assert (stop.value.code, "\n" in str(stop.value)) == (NO_BROWSER, False)


@pytest.mark.slow
def test_one_that_starts_and_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chrome").write_text(f"#!/bin/sh\n{DIES}\n")
    (tmp_path / "chrome").chmod(0o755)
    monkeypatch.setenv("CHROME_BIN", str(tmp_path / "chrome"))
    with pytest.raises(Stop, match="does not start: FATAL: No usable sandbox!") as stop:
        chat.chat("http://localhost:9/", "hello")
    assert (stop.value.code, "\n" in str(stop.value)) == (NO_BROWSER, False)
