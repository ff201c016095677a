"""The pages about runs: what they show is what was recorded, and nothing of it is ever taken for HTML, a path or a script."""

import hashlib
import html
import json
import math
import os
import re
import time

import pytest

from groundup.lab.record import Records
from groundup.lab.surroundings import THREADS

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"
NAME = "<script>alert(1)<img src=x onerror=alert(2)>"  # of a recipe, and so of a folder
PATIENCE = 60.0


@pytest.fixture(scope="module")
def filled(shared_desk):
    """A desk with runs in its workspace: two groups of three seeds, one that was killed, and one whose every word is hostile."""
    with Records(shared_desk.root / "runs") as kept:
        for width in (4, 64):
            for seed in range(3):
                with kept.begin("two-moons", seed, {"seed": seed, "width": width, "steps": 5}, "abc") as run:
                    for step in range(20):
                        run.log(step, loss=1 / (step + width + seed), late=math.nan)
                    run.end("finished", {"test_accuracy": 0.9 + width / 1000 + seed / 10_000})
        with kept.begin(NAME, 0, {"seed": 0, HOSTILE: HOSTILE}, HOSTILE, mine=True) as run:
            run.log(0, **{HOSTILE: 1.0})
            run.end("finished", {HOSTILE: math.inf})
    return shared_desk


@pytest.fixture
def client(filled):
    with filled.client() as made:
        yield made


def rows_of(text):
    """The cells of the table of runs, as text."""
    rows = re.findall(r"<tr data-run.*?</tr>", text, re.S)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.S)]
        for row in rows
    ]


def test_the_newest_runs_of_one_recipe_are_chosen_and_their_difference_has_columns(client):
    page = client.get("/runs?recipe=two-moons").text
    rows = rows_of(page)
    assert [row[1] for row in rows] == [f"two-moons-{i}" for i in (6, 5, 4, 3, 2, 1)]
    assert page.count("checked") == 4
    head = re.findall(r"data-sort>([^<]+)", page)
    assert head == ["name", "status", "when", "seconds", "seed", "library", "claims", "test_accuracy", "width"], (
        "steps are the same"
    )
    assert [row[-1] for row in rows] == ["64"] * 3 + ["4"] * 3 and rows[0][-2] == "0.9642"
    assert [row[7] for row in rows] == ["✗ NOT kept"] * 6


@pytest.mark.parametrize(
    ("sort", "first"),
    [("when", "two-moons-1"), ("-metric:test_accuracy", "two-moons-6"), ("value:width", "two-moons-3"), ("-seed", "two-moons-6"), ("nonsense", "two-moons-6")],
)  # fmt: skip
def test_the_table_is_sorted_by_any_column(client, sort, first):
    rows = rows_of(client.get("/runs/table", params={"recipe": "two-moons", "sort": sort}).text)
    if sort == "-seed":
        assert [row[5] for row in rows] == ["2", "2", "1", "1", "0", "0"]
    else:
        assert rows[0][1] == first


def test_runs_are_chosen_by_the_address_and_none_can_be(client):
    def chosen(query):
        return re.findall(r'value="(\d+)" aria-label="[^"]*" checked', client.get(f"/runs?{query}").text)

    assert chosen("run=1&run=3&run=nonsense&run=99999999999999999999") == ["3", "1"]
    assert chosen("run=") == []


@pytest.mark.parametrize(
    "path",
    [
        "/runs",
        "/runs/table",
        "/runs/7",
        "/runs/7/summary",
        "/runs/7/config",
        "/runs/compare?run=7&run=1&apart",
        f"/runs?recipe={NAME}",
    ],
)
def test_what_is_recorded_is_never_markup(client, path):
    page = client.get(path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text and "<img src=x" not in page.text
    assert "alert(1)" in page.text, "it is shown as what it is"


def test_curves_are_json_that_a_browser_can_read(client):
    found = client.get("/runs/curves?run=6&run=7&run=404").json()
    assert [run["name"] for run in found["runs"]] == ["two-moons-6", f"{NAME}-7"]
    assert found["metric"] == "loss" and found["measured"] == ["loss", "late", HOSTILE]
    assert found["runs"][0]["metrics"]["loss"]["steps"] == list(range(20)) and found["runs"][1]["metrics"] == {}
    late = client.get("/runs/curves?run=6&metric=late").json()["runs"][0]["metrics"]["late"]
    assert late["values"] == ["nan"] * 20
    assert client.get("/runs/curves", params={"run": list(range(1, 20))}).status_code == 400


def test_seeds_are_compared_together_and_what_it_says_is_a_sentence(client):
    page = client.get("/runs/compare", params={"run": [1, 2, 3, 4, 5, 6]}).text
    said = html.unescape(page)
    assert "width 4" in said and "width 64" in said and "3 runs, one a seed" in said
    assert (
        "test_accuracy is 0.06 higher for width 64 than for width 4 (95 % interval" in said
        and "more than seeds make" in said
    )
    bands = client.get("/runs/compare/curves", params={"run": [1, 2, 3, 4, 5, 6]}).json()
    assert bands["groups"] == ["width 4", "width 64"] and bands["bands"]["loss"]["width 4"]["seeds"] == 3
    apart = html.unescape(client.get("/runs/compare", params={"run": [1, 4], "apart": "yes"}).text)
    assert "two-moons-4 than for two-moons-1" in apart and "says nothing about chance" in apart
    assert ">library<" not in apart, "both ran on the reference"
    libraries = client.get("/runs/compare", params={"run": [1, 7]}).text
    assert re.search(r">library</th><td>reference</td><td>mine</td>", libraries)


def test_what_cannot_be_compared_is_said(client):
    assert "Choose two runs or more" in client.get("/runs/compare?run=1").text
    assert "Choose two runs or more" in client.get("/runs/compare").text
    asked = {"Accept": "application/json"}
    assert "there is no run" in client.get("/runs/compare?run=1&run=404", headers=asked).json()["error"]
    assert "it is one of" in client.get("/runs/compare?run=1&run=4&correction=no", headers=asked).json()["error"]
    many = client.get("/runs/compare", params={"run": [1, 2, 3, 4, 5, 6, 7], "apart": ""}, headers=asked)
    assert many.status_code == 400 and "at most 6 groups" in many.json()["error"]


@pytest.mark.parametrize(
    "path", ["/runs/404", "/runs/404/output", "/runs/404/config", "/recipes/nothing", f"/runs/1/artifact/{'0' * 64}"]
)
def test_what_there_is_not_is_said_in_one_sentence(client, path):
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 404 and answer.json()["error"].count("\n") == 0


@pytest.fixture
def kept(desk):
    with Records(desk.root / "runs") as made:
        yield made


def test_a_file_is_given_out_by_its_hash_as_something_to_be_saved_and_only_as_it_was_recorded(desk, kept):
    picture = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    with kept.begin("two-moons", 0, {"seed": 0}, "abc") as run:
        (run.folder / "deep").mkdir()
        for name, content in {
            "a.svg": picture,
            "weights ü.bin": b"\0weights",
            "deep/page.html": b"<script>",
            "note.txt": b"<b>bold</b>",
        }.items():
            (run.folder / name).write_bytes(content)
            run.keep(run.folder / name)
    outside = desk.root / "secret.txt"
    outside.write_bytes(b"do not tell")
    with kept._writing() as db:
        sha = hashlib.sha256(b"do not tell").hexdigest()
        for name in ("../../secret.txt", str(outside), "link.txt"):
            db.execute("INSERT INTO artifact VALUES (?, ?, ?, 11)", (run.id, name, sha))
    (run.folder / "link.txt").symlink_to(outside)
    with desk.client() as client:
        kinds = {}
        for name, (digest, _) in kept.artifacts(run.id).items():
            answer = client.get(f"/runs/{run.id}/artifact/{digest}", headers={"Accept": "application/json"})
            kinds[name] = answer.status_code, answer.headers["content-type"]
            if answer.status_code == 200:
                assert answer.headers["content-disposition"].startswith("attachment"), name
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "sandbox" in answer.headers["content-security-policy"]
                assert hashlib.sha256(answer.content).hexdigest() == digest
            else:
                assert b"do not tell" not in answer.content
        assert kinds.pop("a.svg") == (200, "image/svg+xml")
        assert (
            kinds.pop("note.txt")
            == kinds.pop("weights ü.bin")
            == kinds.pop("deep/page.html")
            == (200, "application/octet-stream")
        )
        assert {status for status, _ in kinds.values()} == {410} and len(kinds) == 3
        page = client.get(f"/runs/{run.id}").text
        assert "&lt;b&gt;bold&lt;/b&gt;" in page and "<b>bold</b>" not in page
        assert f'<img src="/runs/{run.id}/artifact/{hashlib.sha256(picture).hexdigest()}"' in page
        (run.folder / "a.svg").write_bytes(picture + b" ")
        answer = client.get(f"/runs/{run.id}/artifact/{hashlib.sha256(picture).hexdigest()}")
        assert answer.status_code == 410 and "as it was recorded" in answer.text


def test_every_claim_is_shown_with_the_run_that_keeps_it_and_the_command_that_measures_it(desk):
    with desk.client() as client:
        before = client.get("/claims/table").text
        assert "groundup claims two-moons" in before and "0 kept" in before
        assert desk.run("run", "two-moons").returncode == 0
        desk.run("run", "two-moons", "--set", "steps=5", "--mine")
        desk.run("run", "two-moons", "--set", "steps=5")
        after = client.get("/claims").text
    assert "1 kept, 0 NOT kept" in after and '<a href="/runs/1">two-moons-1</a>' in after
    assert "measured on earlier sources" not in after


def test_a_recipe_is_started_from_its_form_refused_in_a_sentence_and_told_in_the_log(desk):
    with desk.client() as client:
        form = client.get("/recipes/two-moons/form").text
        assert 'name="width" value="16" data-own="16"' in form and "whole number" in form
        answer = client.post("/recipes/two-moons", json={"values": {"width": "wide"}})
        assert answer.status_code == 409 and "width is of type int" in answer.json()["error"]
        assert client.post("/recipes/two-moons", json={"seed": "-1"}).status_code == 400
        assert client.post("/recipes/nothing", json={}).status_code == 409
        answer = client.post("/recipes/two-moons", json={"values": {"width": "8", "steps": "200"}, "seed": "3"})
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"run": 1, "url": "/runs/1"}
        until = time.monotonic() + PATIENCE
        while "test_accuracy" not in client.get("/runs/1/output").text:
            assert time.monotonic() < until
            time.sleep(0.05)
        client.get("/claims/table")  # by now the recipes are read
        page = html.unescape(client.get("/runs/1").text)
        assert "the recipe has 16" in page and "groundup run two-moons --seed 3 --set width=8 --set steps=200" in page
        assert "finished" in page and "What it printed" in page
        again = client.get("/recipes/two-moons?from=1").text
        assert 'name="width" value="8" data-own="16"' in again
        assert client.post("/runs/1/stop").status_code == 409
        assert client.post("/runs/1/resume").status_code == 409
        assert client.post("/runs/404/stop").status_code == 404
        text = client.post("/runs/1/sample", json={"prompt": "--mine", "options": {"tokens": "3"}})
        assert "two-moons-1 has nothing to sample from" in json.loads(text.text.splitlines()[-1])["error"]
        assert client.post("/runs/1/sample", json={"options": {"tokens": "lots"}}).status_code == 400
    with Records(desk.root / "runs") as kept:
        threads = {name: value for name, value in os.environ.items() if name in THREADS}
        assert kept.find("1").environment["threads"] == threads, (
            "the desk must not make runs slower than a terminal does"
        )


def test_nothing_changes_by_get(desk):
    with desk.client() as client:
        for path in ("/runs/1/stop", "/runs/1/resume", "/runs/1/sample"):
            assert client.get(path).status_code == 405
