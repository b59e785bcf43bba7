"""The shape of the project: who may import whom, what Airflow may load, what must not be written anywhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGES = sorted(
    path
    for path in PLUGINS.iterdir()
    if path.is_dir() and path.name[0] not in "._" and path.suffix != ".egg-info"
)
MODULES = sorted(path for path in PLUGINS.rglob("*.py") if "__pycache__" not in path.parts)
HEAVY = {"pandas", "dlt", "great_expectations", "scipy", "sklearn", "weasyprint", "altair"}


def committed() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files are committed is not known")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_every_room_imports_only_what_it_may() -> None:
    contracts = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    checked = subprocess.run(
        [sys.executable, "-c", contracts, "--no-cache"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_module_has_the_name_of_one_of_the_standard_library() -> None:
    taken = [str(path.relative_to(ROOT)) for path in MODULES if path.stem in sys.stdlib_module_names]
    assert not taken, "Airflow may load a plugin file under its bare name and replace the library's"


def test_airflow_is_kept_out_of_every_package() -> None:
    ignored = (PLUGINS / ".airflowignore").read_text().split()
    assert {f"{path.name}/" for path in PACKAGES} <= set(ignored)
    for package in PACKAGES:
        assert (package / ".airflowignore").read_text() == "[a-z_]*\n", (
            f"{package.name}: protects a copied package"
        )


@pytest.mark.parametrize("syntax", ["glob", "regexp"])
def test_the_ignore_file_means_the_same_in_both_syntaxes(syntax: str) -> None:
    from airflow._shared.module_loading import file_discovery

    found = file_discovery.find_path_from_directory(PLUGINS, ".airflowignore", syntax)
    loaded = {Path(path).relative_to(PLUGINS).as_posix() for path in found if str(path).endswith(".py")}
    assert loaded == {path.name for path in PLUGINS.glob("*.py")}


def test_heavy_libraries_are_imported_inside_functions_only() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
            if isinstance(node, ast.Import | ast.ImportFrom) and not _inside_function(node):
                names = (
                    [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                )
                found += [
                    f"{path.relative_to(ROOT)}:{node.lineno}" for n in names if n.split(".")[0] in HEAVY
                ]
    assert not found


def _inside_function(node: ast.AST) -> bool:
    while (parent := getattr(node, "parent", None)) is not None:
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        if isinstance(parent, ast.If) and getattr(parent.test, "id", "") == "TYPE_CHECKING":
            return True
        node = parent
    return False


def test_no_committed_file_names_a_registry_or_a_path_of_some_machine() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted.org", "docker" + ".io", "ghcr" + ".io", "quay" + ".io"]
    places = "|".join(("work", "root", "tmp", "home/(?!airflow)[a-z]"))
    forbidden = re.compile("|".join(map(re.escape, hosts)) + rf"|(?<![\w./~*-])/(?:{places})(?:/|\b)")
    found = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        for number, line in enumerate(text.splitlines(), start=1):
            if forbidden.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found
