"""Static files: each at an address that changes with any of them, and nothing else of the disk at any address."""

import re
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from groundup.desk import assets

DESK = Path(assets.__file__).parent


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=assets.routes))


def test_every_file_of_the_page_is_served_as_it_is_and_for_ever(client):
    on_disk = {p.relative_to(DESK / "static").as_posix(): p for p in (DESK / "static").rglob("*.*")}
    on_disk |= {f"vendor/{p.relative_to(DESK / 'vendor').as_posix()}": p for p in (DESK / "vendor").rglob("*.*")}
    del on_disk["vendor/vendor.lock.json"]
    assert set(on_disk) == set(assets.contents())
    for name, path in on_disk.items():
        answer = client.get(assets.asset(name))
        assert answer.status_code == 200 and answer.content == path.read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == assets.TYPES[path.suffix]


def test_a_script_has_a_type_that_a_browser_runs(client):
    assert client.get(assets.asset("editor.js")).headers["content-type"].startswith("text/javascript")


def test_another_digest_is_not_answered_as_if_it_were_this_one(client):
    answer = client.get("/static/0123456789abcdef0123/editor.js")
    assert answer.status_code == 404 and "cache-control" not in answer.headers


def test_no_path_of_a_request_reaches_the_disk(client):
    ups = ["../", "..%2f", "%2e%2e/", "..\\", "..%5c", "vendor/../../", "/", "//", "./", "vendor/./"]
    goals = [
        "assets.py",
        "__init__.py",
        "static/editor.js",
        "vendor/vendor.lock.json",
        "/etc/passwd",
        "templates/page.html",
    ]
    for up, goal in product(ups, goals):
        for path in (up + goal, quote(up + goal, safe="")):
            answer = client.get(f"/static/{assets.digest()}/{path}")
            assert answer.status_code == 404, path
    for name in ("vendor/vendor.lock.json", "", "vendor", "vendor/", "editor.js/", "editor.js\0", "EDITOR.JS"):
        assert client.get(f"/static/{assets.digest()}/{quote(name)}").status_code == 404, name


def test_only_reading_is_possible(client):
    address = assets.asset("editor.js")
    assert client.head(address).status_code == 200
    assert {
        client.request(method, address).status_code for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")
    } == {405}


def test_a_file_that_is_not_there_has_no_address():
    with pytest.raises(LookupError, match=r"no static file 'nothing\.js'"):
        assets.asset("nothing.js")


def test_the_digest_changes_with_the_name_and_the_content_of_each_file():
    files = assets.contents()
    found = {assets.digest_of(files)}
    for name in files:
        rest = {other: content for other, content in files.items() if other != name}
        found |= {
            assets.digest_of(rest),
            assets.digest_of(rest | {name: files[name] + b" "}),
            assets.digest_of(rest | {name + "2": files[name]}),
        }
    assert len(found) == 3 * len(files) + 1
    assert assets.digest_of({"a": b"bc"}) != assets.digest_of({"ab": b"c"})


def test_what_a_static_file_names_is_there():
    patterns = {
        ".js": r"""(?:from|import|new URL)\s*\(?\s*["'](\.[^"']+)["']""",
        ".css": r"""(?:url\(|@import )["']?(?!data:|#)([^"')]+)""",
    }
    missing = []
    for name, content in assets.contents().items():
        pattern = patterns.get(Path(name).suffix)
        if pattern is None or name == "vendor/htmx.js":
            continue
        for found in re.findall(pattern, content.decode()):
            target = Path("/", name).parent / found
            if Path(*_normal(target)).as_posix() not in assets.contents():
                missing.append(f"{name} -> {found}")
    assert not missing


def _normal(path):
    parts = []
    for part in path.parts[1:]:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


def test_what_a_template_names_is_there():
    named = {
        (path.name, name)
        for path in (DESK / "templates").glob("*.html")
        for name in re.findall(r"""asset\(["']([^"']+)["']\)""", path.read_text())
    }
    assert named and not [pair for pair in sorted(named) if pair[1] not in assets.contents()]


def test_our_own_scripts_stay_small():
    ours = {
        name: len(content)
        for name, content in assets.contents().items()
        if name.endswith(".js") and not name.startswith("vendor/")
    }
    assert sum(ours.values()) < 120_000, ours
