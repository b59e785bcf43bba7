"""`care init`: a configuration to begin with, for one industry."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from carewatch import paths
from carewatch.commands.console import Mistake
from carewatch.spec.shelf import display

HELP = "write a configuration to begin with, for an industry"


def industries() -> dict[str, Path]:
    """Return the folder of each industry pack by name."""
    shipped = paths.home() / "config" / "industries"
    return {path.parent.name: path.parent for path in sorted(shipped.glob("*/firm.yaml"))}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder")
    parser.add_argument(
        "--industry", required=True, choices=[*industries()], help="see config/industries/README.md"
    )


def run(chosen: argparse.Namespace) -> int:
    pack, folder = industries()[chosen.industry], chosen.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Mistake(f"{folder} is not empty: nothing was written; name a new folder")
    for source in sorted(pack.rglob("*.yaml")):
        target = folder / source.relative_to(pack)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_with_schema(source.read_text(encoding="utf-8"), target), encoding="utf-8")
        print(display(target.resolve()))
    print(f"next: point sources.yaml at what you have, then: care check {folder}")
    return 0


def _with_schema(text: str, target: Path) -> str:
    """Return a file's text with the path of its schema, which editors follow, as seen from where it is written."""
    schemas = os.path.relpath(paths.include("schemas"), target.parent.resolve())
    return re.sub(r"(?m)^(# yaml-language-server: \$schema=)\S*(/[^/]+)$", rf"\1{schemas}\2", text, count=1)
