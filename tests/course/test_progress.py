"""The store of progress: what is recorded comes back, and every trouble with the file has a sentence."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.progress import store as progress
from groundup.course.progress.store import APPLICATION, Event, Standing, Store, replay
from groundup.lab import sqlite
from groundup.lab.sqlite import StoreError, on_network

LESSONS = ["1.1", "2.10", "größe"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)
FILES = st.none() | st.dictionaries(st.sampled_from(["a.py", "sub/b.py", "ü.py"]), st.binary(max_size=40), max_size=3)
RECORD = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["opened", "checked", "passed", "hinted", "looked", "noted", "a-new-kind"]),
        "lesson": st.none() | st.sampled_from(LESSONS),
        "files": FILES,
        "payload": st.fixed_dictionaries(
            {}, optional={"passed": st.booleans(), "stretch": st.booleans(), "note": JSON, "möglich": JSON}
        ),
        "at": st.floats(0, 1e10),  # any order: clocks go back
    }
)


def raw(path):
    """The file as sqlite3 sees it, without the store."""
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def standing_by_definition(lesson, events):
    """Each field as a sentence about all the lesson's events; no folding."""
    mine = [event for event in events if event.lesson == lesson]
    passes = [e for e in mine if e.kind == "passed" or (e.kind == "checked" and e.payload.get("passed"))]
    kept = [event.payload["files"] for event in passes if "files" in event.payload]
    return Standing(
        lesson=lesson,
        opened=any(event.kind == "opened" for event in mine),
        checks=sum(event.kind == "checked" for event in mine),
        hints=sum(event.kind == "hinted" for event in mine),
        passed=bool(passes),
        stretch=any(event.payload.get("stretch", False) for event in passes),
        passed_files=kept[-1] if kept else {},
        looked=any(event.kind == "looked" for event in mine),
        last_at=max(mine, key=lambda event: event.id).at,
    )


EVENT = st.builds(
    lambda at, kind, lesson, payload: (at, kind, lesson, payload),
    st.floats(0, 1e10),
    st.sampled_from(["checked", "checked", "passed", "opened", "hinted", "looked", "noted"]),
    st.sampled_from([*LESSONS[:2], None]),
    st.fixed_dictionaries(
        {"passed": st.booleans(), "stretch": st.booleans()},
        optional={"files": st.dictionaries(st.just("a.py"), st.sampled_from(["aa", "bb", "cc"]))},
    ),
)


@settings(deadline=None, max_examples=400)
@given(rows=st.lists(EVENT, max_size=8))
def test_replaying_events_gives_what_each_field_is_defined_to_be(rows):
    events = [Event(number, *row) for number, row in enumerate(rows, start=1)]
    assert replay(events) == {e.lesson: standing_by_definition(e.lesson, events) for e in events if e.lesson}


@settings(deadline=None, max_examples=60)
@given(records=st.lists(RECORD, max_size=12), cut=st.integers(0, 12))
def test_what_is_recorded_comes_back_and_the_projection_is_what_the_events_say(tmp_path_factory, records, cut):
    path = tmp_path_factory.mktemp("store") / "progress.db"
    times = iter([record["at"] for record in records])
    expected = []

    def record_all(store, some):
        for record in some:
            files, payload = record["files"], dict(record["payload"])
            row = store.append(record["kind"], record["lesson"], files, **payload)
            if files is not None:
                payload["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            expected.append(Event(row, record["at"], record["kind"], record["lesson"], payload))

    with Store(path, clock=lambda: next(times)) as store:
        record_all(store, records[:cut])
    with Store(path, clock=lambda: next(times)) as store:
        record_all(store, records[cut:])
        assert store.events() == expected
        assert [event.id for event in expected] == list(range(1, len(records) + 1))
        for record in records:
            for content in (record["files"] or {}).values():
                assert store.blob(hashlib.sha256(content).hexdigest()) == content
        by_definition = {e.lesson: standing_by_definition(e.lesson, expected) for e in expected if e.lesson}
        assert store.standings() == by_definition
        assert all(store.standing(lesson) == by_definition.get(lesson, Standing(lesson)) for lesson in LESSONS)
        assert store.verify() == []

        with raw(path) as db:
            db.execute("UPDATE standing SET checks = checks + 1, passed_files = '{}', passed = 1 - passed")
        assert (store.verify() == []) == (by_definition == {})
        store.rebuild()
        assert store.standings() == by_definition
        assert store.verify() == []


@settings(deadline=None, max_examples=40)
@given(after=st.integers(0, 25), lesson=st.none() | st.sampled_from(LESSONS), limit=st.none() | st.integers(0, 25))
def test_events_are_the_first_that_match_in_order(full_store, after, lesson, limit):
    everything = full_store.events()
    for kind in (None, "checked", "noted", "absent"):
        matching = [
            e for e in everything if e.id > after and lesson in (None, e.lesson) and (kind is None or e.kind == kind)
        ]
        assert full_store.events(after, lesson=lesson, kind=kind, limit=limit) == matching[:limit]


@pytest.fixture(scope="module")
def full_store(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("full") / "progress.db") as store:
        for number in range(20):
            store.append(["checked", "noted", "opened"][number % 3], [*LESSONS, None][number % 4])
        yield store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.db"


def test_lone_surrogates_and_non_finite_numbers_come_back(path):
    with Store(path) as store:
        store.append("noted", text="\ud800\x00", score=float("inf"), loss=float("nan"))
        (event,) = store.events()
    assert event.payload["text"] == "\ud800\x00"
    assert event.payload["score"] == float("inf")
    assert event.payload["loss"] != event.payload["loss"]


def test_equal_contents_are_kept_once(path):
    with Store(path) as store:
        for lesson in LESSONS:
            store.append("checked", lesson, {"a.py": b"same", "b.py": b"same"})
        assert store.verify() == []
    with raw(path) as db:
        assert db.execute("SELECT count(*) FROM blob").fetchone() == (1,)


@pytest.mark.parametrize("kind", ["", "Checked", "a b", "1", "-", "a-", "naïve", "a\n"])
def test_a_kind_that_is_not_a_word_is_refused(path, kind):
    with Store(path) as store:
        with pytest.raises(ValueError, match="kind of event"):
            store.append(kind)
        assert store.events() == []


def test_a_failing_append_leaves_nothing_behind(path):
    with Store(path) as store:
        first = store.append("opened", "1.1")
        with pytest.raises(TypeError):
            store.append("noted", "1.1", {"a.py": b"a"}, what=object())
        with pytest.raises(ValueError):  # no such text in UTF-8: found after the snapshot was written
            store.append("noted", "\ud800", {"a.py": b"a"})
        assert [event.id for event in store.events()] == [first]
        with pytest.raises(StoreError, match="holds no file"):
            store.blob(hashlib.sha256(b"a").hexdigest())
        assert store.append("noted") == first + 1


@pytest.mark.parametrize("table, column, key", [("event", "kind", "id"), ("blob", "data", "sha")])
def test_events_and_snapshots_cannot_be_changed_even_from_outside(path, table, column, key):
    with Store(path) as store:
        store.append("checked", "1.1", {"a.py": b"a"}, passed=True)
        before = store.events()
    with raw(path) as db:
        rows = db.execute(f"SELECT * FROM {table}").fetchall()
        for change in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT({key}) DO UPDATE SET {column} = 'x'",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                db.execute(change)
        assert db.execute(f"SELECT * FROM {table}").fetchall() == rows
    with Store(path) as store:
        assert store.events() == before
        assert store.verify() == []


def test_a_commit_waits_for_the_disk(path):
    """The promise of append rests on these settings; a power cut cannot be had in a test."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "fullfsync": 1}
    with Store(path) as store:
        assert {name: store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted


# Formats


def add_table(db):
    db.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY, text TEXT)")
    db.execute("INSERT INTO extra SELECT id, kind FROM event")


def add_index(db):
    db.execute("CREATE INDEX event_by_lesson ON event (lesson, id)")


def migrated(path, monkeypatch, *steps):
    monkeypatch.setattr(progress, "MIGRATIONS", (*progress.MIGRATIONS[:1], *steps))
    return Store(path)


def test_an_older_file_is_brought_up_to_date_with_a_backup_before_each_step(path, monkeypatch):
    with Store(path) as store:
        store.append("checked", "1.1", {"a.py": b"a"}, passed=True)
        events, standings = store.events(), store.standings()
        with migrated(path, monkeypatch, add_table, add_index) as newer:  # while the older is open
            assert newer.events() == events
            assert newer.standings() == standings
            assert newer.verify() == []
    with raw(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("SELECT * FROM extra").fetchall() == [(1, "checked")]
    for version in (2, 3):
        backup = path.with_name(f"progress.db.before-v{version}")
        with raw(backup) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (version - 1,)
        monkeypatch.setattr(progress, "MIGRATIONS", progress.MIGRATIONS[: version - 1])
        with Store(backup) as old:
            assert old.events() == events
            assert old.verify() == []
        monkeypatch.setattr(progress, "MIGRATIONS", (*progress.MIGRATIONS[:1], add_table, add_index))
    assert not list(path.parent.glob("*.part"))


def test_a_migration_that_fails_changes_nothing_and_can_be_tried_again(path, monkeypatch):
    def broken(db):
        add_table(db)
        db.execute("INSERT INTO nowhere VALUES (1)")

    with Store(path) as store:
        store.append("opened", "1.1")
        with pytest.raises(StoreError, match="no such table"):
            migrated(path, monkeypatch, broken)
        assert store.verify() == []
        store.append("checked", "1.1")
        with migrated(path, monkeypatch, add_table) as newer:
            assert len(newer.events()) == 2
    backups = sorted(backup.name for backup in path.parent.glob("progress.db.before-*"))
    assert backups == ["progress.db.before-v2", "progress.db.before-v2-2"]  # the first is not overwritten
    counts = []
    for name in backups:
        with raw(path.with_name(name)) as db:
            counts += db.execute("SELECT count(*) FROM event").fetchone()
    assert counts == [1, 2]


def test_a_backup_left_unfinished_by_a_kill_does_not_hinder(path, monkeypatch):
    Store(path).close()
    path.with_name("progress.db.before-v2.part").write_bytes(b"half")
    with migrated(path, monkeypatch, add_table) as store:
        assert store.verify() == []
    assert sorted(path.parent.glob("*before*")) == [path.with_name("progress.db.before-v2")]


def test_an_older_file_is_not_changed_by_reading(path, monkeypatch):
    Store(path).close()
    monkeypatch.setattr(progress, "MIGRATIONS", (*progress.MIGRATIONS, add_table))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="open it once for writing"):
        Store(path, readonly=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_file_is_refused_and_left_alone(path, readonly):
    Store(path).close()
    with raw(path) as db:
        db.execute("PRAGMA user_version = 7")
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Store(path, readonly=readonly)
    assert str(caught.value) == (
        f"{path} was made by a newer groundup (format 7, this one knows 1): upgrade with `pip install -U groundup`"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("marks", [["CREATE TABLE t (x)"], ["PRAGMA user_version = 1"], ["PRAGMA application_id = 5"]])
@pytest.mark.parametrize("readonly", [False, True])
def test_the_database_of_another_program_is_refused_and_left_alone(path, marks, readonly):
    with raw(path) as db:
        for mark in marks:
            db.execute(mark)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path, readonly=readonly)
    assert path.read_bytes() == before


# Damage


@pytest.mark.parametrize("readonly", [False, True])
def test_what_is_not_a_database_is_refused_and_left_alone(path, readonly):
    path.write_bytes(b"import numpy as np\n" * 400)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"damaged or not a file of groundup's.*move it aside"):
        Store(path, readonly=readonly)
    assert path.read_bytes() == before


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damage_anywhere_is_reported_never_a_crash(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "progress.db"
    with Store(path) as store:
        for number in range(10):
            store.append("checked", "1.1", {"a.py": bytes([number]) * 900}, passed=True, noise="x" * 300)
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:start]
    else:
        content[start : start + 64] = data.draw(st.binary(min_size=64, max_size=64))
    path.write_bytes(content)
    # What opens may be read; what cannot be read says so and names the file.
    for attempt in (Store.verify, Store.events, Store.standings, Store.rebuild, lambda store: store.append("noted")):
        try:
            with Store(path) as store:
                attempt(store)
        except StoreError as error:
            assert str(path) in str(error)


def test_a_damaged_snapshot_is_found(path):
    content = bytes(range(256)) * 4
    with Store(path) as store:
        store.append("checked", "1.1", {"a.py": content})
        sha = hashlib.sha256(content).hexdigest()
        with raw(path) as db:
            db.execute("DROP TRIGGER blob_no_update")
            for damage in (b"not zlib", zlib.compress(b"other")):
                db.execute("UPDATE blob SET data = ?", (damage,))
                assert store.verify() == [f"file {sha} is damaged"]
                with pytest.raises(StoreError, match="damaged"):
                    store.blob(sha)
            db.execute("DROP TRIGGER blob_no_delete")
            db.execute("DELETE FROM blob")
        assert store.verify() == [f"event 1 names file {sha}, which is absent"]


@pytest.mark.parametrize("payload", ["'null'", "'7'", "'{'", "x'ff'", "CAST(x'ff' AS TEXT)"])
def test_a_damaged_row_has_a_sentence(path, payload):
    with Store(path) as store:
        store.append("checked", "1.1")
        with raw(path) as db:
            db.execute("DROP TRIGGER event_no_update")
            db.execute(f"UPDATE event SET payload = {payload}")
            db.execute(f"UPDATE standing SET passed_files = {payload}")
        for attempt in (store.events, store.standings, store.rebuild, lambda: store.append("checked", "1.1")):
            with pytest.raises(StoreError, match="damaged"):
                attempt()
        assert len(store.verify()) == 1


def test_a_changed_event_shows_in_verify(path):
    with Store(path) as store:
        store.append("checked", "1.1", passed=False)
        with raw(path) as db:
            db.execute("DROP TRIGGER event_no_update")
            db.execute("UPDATE event SET payload = ?", (json.dumps({"passed": True}),))
        assert store.verify() == ["the projection differs from the events: rebuild it"]


# Places


def test_places_where_a_store_cannot_be_have_a_sentence(tmp_path):
    with pytest.raises(StoreError, match=r"create .*nowhere first"):
        Store(tmp_path / "nowhere" / "progress.db")
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path / "progress.db", readonly=True)
    with pytest.raises(StoreError, match="could not be"):
        Store(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b.db", "50%?#.db", "größe.db", "file:x.db", "-.db"])
def test_any_file_name_will_do(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store(Path(name)) as store:
        store.append("noted")
    assert [place.name for place in tmp_path.iterdir()] == [name]
    with Store(Path(name), readonly=True) as store:
        assert len(store.events()) == 1


@pytest.fixture
def mount(tmp_path):
    """mount(options) makes a small file system of its own, or changes its options; skips where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()

    def change(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"needs the right to mount a file system: {done.stderr.strip()}")
        return place

    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small file system")
    yield change
    subprocess.run(["umount", "-l", str(place)], capture_output=True)


def fill(place):
    """Take every free byte; returns the file to delete."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(1 << 16)):
            pass
    with filler.open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(b"\0"):
            pass
    return filler


@pytest.mark.parametrize("content", [b"", os.urandom(30_000)])
def test_a_full_disk_loses_only_what_was_not_recorded(mount, content):
    place = mount("size=1m")
    path = place / "progress.db"
    with Store(path) as store:
        for number in range(5):
            store.append("checked", "1.1", {"a.py": b"%d" % number}, passed=True)
        events, standings = store.events(), store.standings()
        filler = fill(place)
        recorded = 0
        with pytest.raises(StoreError, match="disk is full"):  # what is left of the last page may hold a few
            while store.append("checked", "1.1", {"a.py": content + os.urandom(100)}, passed=False):
                recorded += 1
        assert recorded < 50
        assert store.events()[:5] == events
        assert len(store.events()) == 5 + recorded
        assert store.verify() == []
        with pytest.raises(StoreError, match="disk is full"):
            store.append("noted", big=os.urandom(9000).hex())
        filler.unlink()
        store.append("checked", "1.1", {"a.py": content}, passed=True)
        assert store.verify() == []
        assert store.standing("1.1").checks == standings["1.1"].checks + recorded + 1
    with Store(path) as store:
        assert len(store.events()) == 6 + recorded


def test_a_disk_full_from_the_start_has_a_sentence_and_can_be_freed(mount):
    place = mount("size=1m")
    filler = fill(place)
    path = place / "progress.db"
    with pytest.raises(StoreError, match=r"disk|space"):
        Store(path)
    filler.unlink()
    with Store(path) as store:
        store.append("noted")
        assert store.verify() == []


@pytest.mark.parametrize("free", [0, 100_000])
def test_a_disk_full_during_a_migration_leaves_the_file_as_it_was(mount, monkeypatch, free):
    """With nothing free the lock cannot be had; with a little, the backup does not fit."""
    place = mount("size=1m")
    path = place / "progress.db"
    with Store(path) as store:
        store.append("noted", text="x" * 200_000)
        events = store.events()
    filler = fill(place)
    os.truncate(filler, filler.stat().st_size - free)
    with pytest.raises(StoreError, match=r"disk is full|space left"):
        migrated(path, monkeypatch, add_table)
    assert not list(place.glob("*before*"))
    filler.unlink()
    with migrated(path, monkeypatch, add_table) as store:
        assert store.events() == events


def test_a_read_only_place_is_refused_for_writing_and_fine_for_reading(mount):
    path = mount("size=4m") / "progress.db"
    with Store(path) as store:
        store.append("checked", "1.1", {"a.py": b"a"}, passed=True)
        events, standings = store.events(), store.standings()
    assert [place.name for place in path.parent.iterdir()] == ["progress.db"]
    mount("remount,ro")
    with pytest.raises(StoreError, match="is read-only: make it writable"):
        Store(path)
    with Store(path, readonly=True) as store:
        assert (store.events(), store.standings()) == (events, standings)
        assert store.blob(hashlib.sha256(b"a").hexdigest()) == b"a"
        assert store.verify() == []
        with pytest.raises(StoreError, match="read"):
            store.append("noted")
        with pytest.raises(StoreError, match="read-only"):
            store.rebuild()


@pytest.mark.parametrize("left", [["-wal", "-shm"], ["-wal"]])
def test_reading_what_a_killed_writer_left_on_a_read_only_place_is_whole_or_refused(mount, tmp_path, left):
    path = mount("size=4m") / "progress.db"
    original = tmp_path / "progress.db"
    with Store(original) as store:
        store.append("opened", "1.1")
        events = store.events()
        for suffix in ["", *left]:  # as they lie while the writer lives
            shutil.copy(f"{original}{suffix}", f"{path}{suffix}")
    mount("remount,ro")
    if left == ["-wal"]:
        with pytest.raises(StoreError, match=r"progress.db-wal merged"):
            Store(path, readonly=True)
    else:
        with Store(path, readonly=True) as store:
            assert store.events() == events
            assert store.verify() == []


ORDINARY = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from groundup.course.progress.store import Store
from groundup.lab.sqlite import StoreError
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
for readonly in (False, True):
    for place in (path, path.with_name("new.db")):
        try:
            with Store(place, readonly=readonly) as store:
                print(len(store.events()), store.verify())
        except StoreError as error:
            print(error)
"""


@pytest.mark.parametrize("closed", ["progress.db", "."])
def test_permissions_are_respected(closed):
    """In a folder of its own, since the user the child becomes may not enter pytest's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name).resolve() / "progress.db"
        with Store(path) as store:
            store.append("noted")
        path.chmod(0o444 if closed == "progress.db" else 0o666)
        path.parent.chmod(0o777 if closed == "progress.db" else 0o555)
        done = subprocess.run([sys.executable, "-c", ORDINARY, path, *sys.path], capture_output=True, text=True)
        path.parent.chmod(0o755)
        assert done.stderr == ""
        write, write_new, read, read_new = done.stdout.splitlines()
        refusal = f"{path if closed == 'progress.db' else path.parent} is read-only: make it writable"
        assert write.startswith(refusal)
        assert write_new == "0 []" if closed == "progress.db" else write_new.startswith(refusal)
        assert read == "1 []"
        assert read_new == "0 []" if closed == "progress.db" else "does not exist" in read_new


def test_a_reader_follows_a_writer(path):
    with Store(path) as writer, Store(path, readonly=True) as reader:
        seen = 0
        for number in range(5):
            writer.append("noted", number=number)
            (event,) = reader.events(after=seen)
            seen = event.id
            assert event.payload == {"number": number}


MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
tmpfs /home/me/local tmpfs rw 0 0
you@host: /mnt/with\\040space fuse.sshfs rw 0 0
C: /mnt/c 9p rw 0 0
/dev/sdb1 /media/disk fuseblk rw 0 0
a /twice ext4 rw 0 0
b /twice lustre rw 0 0
server:/share /srv/share nfs rw 0 0
/dev/sdc1 /srv ext4 rw 0 0
"""


@pytest.mark.parametrize(
    "path, network",
    [
        ("/work/progress.db", False),
        ("/home/me/progress.db", True),
        ("/homely/progress.db", False),
        ("/home/me/local/progress.db", False),
        ("/mnt/with space/progress.db", True),
        ("/mnt/c/Users/me/progress.db", True),
        ("/media/disk/progress.db", False),
        ("/twice/progress.db", True),
        ("/srv/share/progress.db", True),
        ("/srv/progress.db", False),
    ],
)
def test_network_file_systems_are_known_by_their_mount(path, network):
    assert on_network(path, MOUNTS) is network
    assert on_network(path, "") is False


def test_a_store_on_a_network_file_system_uses_a_rollback_journal(path, monkeypatch):
    with Store(path) as store:
        store.append("opened", "1.1")
    monkeypatch.setattr(sqlite, "on_network", lambda path: True)
    with Store(path) as store:  # a file moved there
        store.append("checked", "1.1", {"a.py": b"a"}, passed=True)
        assert not path.with_name("progress.db-wal").exists()
        assert store.verify() == []
        assert store._db.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
    with raw(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    monkeypatch.undo()
    with Store(path) as store:
        assert len(store.events()) == 2
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_journal_that_others_keep_from_changing_stays_and_is_safe(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "on_network", lambda path: True)
        Store(path).close()
    with raw(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        with Store(path, busy_timeout=0.05) as store:
            assert store._db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            assert store._db.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
            reader.execute("COMMIT")
            store.append("noted")
            assert store.verify() == []


# Others at the same file

HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_held_by_another_process_has_a_sentence(path):
    with Store(path, busy_timeout=0.05) as store:
        store.append("opened", "1.1")
        holder = subprocess.Popen(
            [sys.executable, "-S", "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with holder:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(StoreError, match="held by another process"):
                store.append("checked", "1.1", {"a.py": b"a"})
            with pytest.raises(StoreError, match="held by another process"):
                store.rebuild()
            with Store(path, busy_timeout=0.05) as another:  # opening and reading need no lock
                assert len(another.events()) == 1
            holder.stdin.close()
        store.append("checked", "1.1", {"a.py": b"a"})
        assert len(store.events()) == 2
        assert store.verify() == []


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from groundup.course.progress.store import Store
print("ready", flush=True)
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    for number in range(int(sys.argv[3])):
        store.append("checked", sys.argv[2], {"a.py": b"%d" % number}, passed=True, number=number)
"""


def test_four_processes_that_open_and_write_at_once_lose_nothing(path):
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, f"1.{n}", "50", *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(4)
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:  # the file does not exist yet: they also make it together
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with Store(path) as store:
        events = store.events()
        assert [event.id for event in events] == list(range(1, 201))
        for n in range(4):
            assert [e.payload["number"] for e in events if e.lesson == f"1.{n}"] == list(range(50))
            assert store.standing(f"1.{n}").checks == 50
        assert store.verify() == []


def test_threads_share_a_store(path):
    with Store(path) as store:
        work = [threading.Thread(target=lambda: [store.append("hinted", "1.1") for _ in range(20)]) for _ in range(4)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        assert store.standing("1.1").hints == 80
        assert store.verify() == []


def test_a_closed_store_says_so(path):
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append("noted")
    assert int.from_bytes(path.read_bytes()[68:72], "big") == APPLICATION  # https://sqlite.org/fileformat.html
