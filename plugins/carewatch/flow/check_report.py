"""Put together the page of what a run's checks found, from what was stored and from the sources' own words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from carewatch.spec.sources import Sources
from carewatch.store import check_results
from carewatch.store.check_results import Checked, Result
from carewatch.store.database import Connection
from carewatch.tell.check_page import CheckedLoad, Finding, page


def report(connection: Connection, sources: Sources, run_id: str, *, language: str = "en") -> str | None:
    """Return a run's page as HTML; None when the run checked nothing that is still its own."""
    checked = check_results.checked_in(connection, run_id)
    if not checked:
        return None
    results = check_results.results_of(connection, run_id)
    at = max(one.checked_at for one in checked).astimezone(ZoneInfo(sources.firm.time_zone))
    loads = [_load(one, results, sources) for one in checked]
    return page(loads, run_id=run_id, at=at, language=language)


def _load(checked: Checked, results: list[Result], sources: Sources) -> CheckedLoad:
    source = sources.sources.get(checked.source)
    streams = source.all_streams() if source else {}
    findings = [
        Finding(
            stream=one.stream,
            fact=streams[one.stream].fact if one.stream in streams else "",
            text=one.check_text,
            severity=one.severity,
            outcome=one.outcome,
            stops=one.stops,
            message=one.message,
            samples=one.samples,
        )
        for one in results
        if (one.source, one.load_id) == (checked.source, checked.load_id)
    ]
    label = {name: source.label.in_(name) if source else checked.source for name in ("en", "zh-CN")}
    owner = source.owner if source else "nobody"
    return CheckedLoad(checked.source, label, owner, checked.load_id, checked.state, findings)
