"""What the page loads from elsewhere is what the lock says, with its licence, and not more than is wanted."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from groundup.desk import assets

ROOT = Path(__file__).parents[2]
VENDOR = Path(assets.__file__).parent / "vendor"
TOOLS = ROOT / "tools" / "vendor"
BUDGET = {".woff2": 60_000, "codemirror.js": 470_000, "katex.js": 290_000, "uplot.js": 60_000, "htmx.js": 60_000}


@pytest.fixture(scope="module")
def lock():
    return json.loads((VENDOR / "vendor.lock.json").read_text())["files"]


def test_every_file_is_the_one_that_the_lock_names_and_there_is_no_other(lock):
    there = {p.relative_to(VENDOR).as_posix(): p.read_bytes() for p in VENDOR.rglob("*") if p.is_file()}
    del there["vendor.lock.json"]
    assert {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in there.items()} == {
        name: (entry["bytes"], entry["sha256"]) for name, entry in lock.items()
    }


def test_every_package_is_pinned_by_the_lock_file_that_it_is_built_from(lock):
    pinned = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    used = {(p["name"], p["version"]) for entry in lock.values() for p in entry["packages"]}
    assert used and all(pinned[f"node_modules/{name}"]["version"] == version for name, version in used)
    assert all("integrity" in entry for path, entry in pinned.items() if path)
    wanted = json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "codemirror" not in wanted  # of that name alone npm's latest is the editor before this one


def test_no_file_of_the_build_says_where_it_was_fetched():
    text = (TOOLS / "package-lock.json").read_text()
    assert '"resolved"' not in text


def test_every_package_comes_with_its_licence(lock):
    text = (VENDOR / "LICENCES.txt").read_text()
    packages = {(p["name"], p["version"], p["licence"]) for entry in lock.values() for p in entry["packages"]}
    for name, version, licence in packages:
        assert f"{name} {version} ({licence})\n" in text
    assert {licence for *_, licence in packages} == {"MIT", "0BSD", "OFL-1.1"}
    assert text.count("SIL OPEN FONT LICENSE") == 3


def test_no_file_is_larger_than_its_budget(lock):
    for name, entry in lock.items():
        budget = BUDGET.get(Path(name).name, BUDGET.get(Path(name).suffix, 50_000))
        assert entry["bytes"] < budget, name
    assert sum(entry["bytes"] for entry in lock.values()) < 1_500_000


def test_style_sheets_name_woff2_alone_and_nothing_beyond_themselves():
    for path in VENDOR.rglob("*.css"):
        named = re.findall(r"url\([\"']?([^\"')]+)", path.read_text())
        assert all((path.parent / name).is_file() and name.endswith(".woff2") for name in named), path
