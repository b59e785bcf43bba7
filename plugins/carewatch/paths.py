"""Answer the question: where do this installation's files lie?"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the project's folder: `CARE_HOME` when set, else the checkout that holds this file."""
    configured = os.environ.get("CARE_HOME")
    return Path(configured) if configured else Path(__file__).resolve().parents[2]


def include(*parts: str) -> Path:
    """Return a path below `include/`."""
    return home().joinpath("include", *parts)


def config() -> Path:
    """Return the configuration folder: `CARE_CONFIG` when set, else `config/` of this installation."""
    configured = os.environ.get("CARE_CONFIG")
    return Path(configured) if configured else home() / "config"
