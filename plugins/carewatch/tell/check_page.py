"""Answer the question: how does a person see what a run's checks found?

One page, in English and Chinese, that needs nothing from anywhere else: it can be mailed, kept and read on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from carewatch.paths import include
from carewatch.spec.source_check import parse_test
from carewatch.tell.check_words import Said, in_chinese

_OUTCOMES: Final[dict[str, Said]] = {
    "passed": {"en": "passed", "zh-CN": "通过"},
    "failed": {"en": "failed", "zh-CN": "未通过"},
    "unknown": {"en": "not judged", "zh-CN": "无法判断"},
}
_STATES: Final[dict[str, Said]] = {
    "passed": {"en": "goes on", "zh-CN": "放行"},
    "stopped": {"en": "STOPPED", "zh-CN": "已暂停"},
    "released": {"en": "released by a person", "zh-CN": "已人工放行"},
}
_SEVERITIES: Final[dict[str, Said]] = {
    "warn": {"en": "warning only", "zh-CN": "仅提示"},
    "stop": {"en": "stops what fails", "zh-CN": "不符合则拦下"},
}


@dataclass(frozen=True)
class Finding:
    """One check of one load, as the page shows it."""

    stream: str
    fact: str
    text: str
    severity: str
    outcome: str
    stops: bool
    message: Said
    samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CheckedLoad:
    """One load of a source with its verdict and findings; `label` by language."""

    source: str
    label: Said
    owner: str
    load_id: str
    state: str
    findings: Sequence[Finding]


def page(loads: Sequence[CheckedLoad], *, run_id: str, at: datetime, language: str = "en") -> str:
    """Return the page as HTML; `language` is the one shown first, `at` in the zone in which it is to be read."""
    found = [finding for load in loads for finding in load.findings]
    failed = sum(finding.outcome == "failed" for finding in found)
    stopped = sum(load.state == "stopped" for load in loads)
    summary = {
        "en": f"{len(found)} checks of {len(loads)} loads; {failed} failed; {stopped} stopped",
        "zh-CN": f"{len(loads)} 批数据共 {len(found)} 项检查；{failed} 项未通过；{stopped} 批已暂停",
    }
    return _template().render(
        title={"en": "Checks of what was landed", "zh-CN": "数据检查结果"},
        language="en" if language == "en" else "zh-CN",
        run_id=run_id,
        at=f"{at:%Y-%m-%d %H:%M %Z}".strip(),
        summary=summary,
        loads=[_shown(load) for load in loads],
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(include("templates", "checks"))
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=True).get_template("page.html.j2")


def _shown(load: CheckedLoad) -> dict[str, Any]:
    rows = [_row(finding) for finding in load.findings]
    passed = [row for row in rows if row["outcome"] == "passed"]
    return {
        "source": load.source,
        "label": load.label,
        "load_id": load.load_id,
        "state": load.state,
        "state_words": _STATES[load.state],
        "owner_words": {"en": f"answered for by {load.owner}", "zh-CN": f"负责人：{load.owner}"},
        "do": what_to_do(load.source, load.owner) if load.state == "stopped" else None,
        "open": [row for row in rows if row["outcome"] != "passed"],
        "passed": passed,
        "passed_words": {"en": f"{len(passed)} passed", "zh-CN": f"{len(passed)} 项通过"},
    }


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "stream": finding.stream,
        "text": finding.text,
        "chinese": in_chinese(parse_test(finding.text), finding.fact),
        "severity": finding.severity,
        "outcome": finding.outcome,
        "outcome_words": _OUTCOMES[finding.outcome],
        "severity_words": _SEVERITIES[finding.severity],
        "stops": finding.stops,
        "stops_words": {"en": "stops", "zh-CN": "暂停"},
        "message": finding.message,
        "samples": finding.samples,
    }


def what_to_do(source: str, owner: str) -> Said:
    """Say what somebody does about a source that is stopped."""
    return {
        "en": f"Nothing of it becomes facts. {owner}: mend the feed and let it be read again, or let this through with "
        f"care checks --release {source} --why REASON",
        "zh-CN": f"该来源的数据暂不入库。请{owner}修复后重新读取；或者用 care checks --release {source} --why 原因 放行",
    }
