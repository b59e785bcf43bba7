"""Where the configurations of this checkout are, and which kind of file each YAML is."""

from __future__ import annotations

from pathlib import Path

from carewatch.spec.shelf import FOLDERS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS_OF_CONFIGURATION = sorted(
    folder for folder in (ROOT / "config", *(ROOT / "examples").iterdir()) if (folder / "firm.yaml").exists()
)


def yaml_files() -> list[Path]:
    """Return every YAML file that is shipped as configuration."""
    folders = (*FOLDERS_OF_CONFIGURATION, ROOT / "include" / "playbooks")
    return sorted(path for folder in folders for path in folder.rglob("*.yaml"))


def kind_of(path: Path) -> str:
    """Return the kind of a configuration file: its folder's, or its own name."""
    if path.parent.name == "health":
        return "health_model"
    return path.parent.name if path.parent.name in FOLDERS else path.stem
