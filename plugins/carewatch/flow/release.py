"""Answer for a held night: let the newest one move warnings after all, or write down that nobody wanted it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from carewatch.flow.advance import Advanced, Moment, Part, advance, decide_notices, start_level
from carewatch.flow.apply_night import apply_night
from carewatch.flow.night import reopened
from carewatch.spec.saying import said
from carewatch.store import configurations, holds, nights
from carewatch.store.database import Connection
from carewatch.store.locks import Lock
from carewatch.store.locks import hold as take
from carewatch.store.nights import Night


class NotReleasable(LookupError):
    """The night is not the newest held one; the text says what it is instead."""


def release(connection: Connection, day: date, *, by: str, why: str, now: datetime) -> Advanced:
    """Apply the newest night although it was held: its warnings, playbooks and notices; raise NotReleasable.

    From then on it is the state that later nights are compared with: what it raised stands and does not rise again, so a
    true mass event is held once and released once.
    """
    opened = reopened(connection, day)
    parts = (_apply(day, by, why), *(start_level(level) for level in (1, 2, 3)), decide_notices)
    return advance(connection, opened.care, now, parts)


def reject(connection: Connection, day: date, *, by: str, why: str, now: datetime) -> None:
    """Write down that a held night is not wanted; it stays held, and may still be released while it is the newest."""
    with connection.transaction():
        take(connection, Lock.CARE_STATE)
        holds.audit(connection, _held(connection, day), by=by, what="night_rejected", why=why, at=now)


def question(connection: Connection) -> dict[str, str] | None:
    """Return the day of the newest night when it is held, with the subject and body of the question; else None."""
    day = holds.newest_held(connection)
    if day is None:
        return None
    night = nights.night_of(connection, day)
    hold = holds.hold_of(connection, night)
    language = configurations.care(connection, night.care).firm.language
    said = _WORDS[language]
    late = [
        f"- {one.source}: {one.reason[language]} ({one.owner})"
        for one in nights.held_sources(connection, night)
    ]
    lines = [said["nothing"]]
    if hold is not None:
        lines += ["", said["levels"], *(f"- {level}: {count}" for level, count in hold.levels.items())]
        rules = configurations.judgement(connection, night.judgement).rules
        named = {
            name: rules[name].label.in_(language) if name in rules else said[name] for name in hold.rules
        }
        lines += ["", said["rules"], *(f"- {named[name]}: {count}" for name, count in hold.rules.items())]
    lines += ["", said["feeds"], *(late or [said["none"]]), "", said["what"]]
    values = {
        "day": day,
        "rising": hold.rising if hold else "?",
        "customers": hold.customers if hold else "?",
    }
    return {"day": day.isoformat(), "subject": said["subject"].format(**values), "body": "\n".join(lines)}


_WORDS: Final = {
    "en": {
        "subject": "Release the night of {day}? {rising} of {customers} customers would rise at once",
        "nothing": "The night is held: nothing moved and no account owner was told.",
        "levels": "Customers that would rise, by level:",
        "rules": "The rules behind it, with the signals that each would open:",
        "health_yellow": "Health below green",
        "health_red": "Health red",
        "feeds": "Feeds that the night did not rely on:",
        "none": "- none: every feed was read in time and brought what it usually does",
        "what": "Approve when it is true: warnings, care tasks and notices follow at once. Reject when a feed is broken: "
        "mend it, the next normal night takes over. Without an answer within 12 hours it counts as rejected.",
    },
    "zh-CN": {
        "subject": "是否放行 {day} 之夜？{customers} 个客户中有 {rising} 个将同时升级",
        "nothing": "该夜已暂扣：没有任何变动，也没有通知客户负责人。",
        "levels": "将升级的客户数（按级别）：",
        "rules": "涉及的规则及各自将新开的信号数：",
        "health_yellow": "健康度低于绿色",
        "health_red": "健康度为红色",
        "feeds": "当夜未采信的数据源：",
        "none": "- 无：所有数据源均按时读取且数量正常",
        "what": "若属实请批准：预警、关怀任务与通知随即发出。若数据源有故障请拒绝：修复后由下一个正常夜晚接续。"
        "12 小时内无人答复视为拒绝。",
    },
}


def _apply(day: date, by: str, why: str) -> Part:
    def apply(moment: Moment) -> None:
        night = _held(moment.connection, day)
        moves = apply_night(moment.connection, night, moment.care, moment.now, released=True)
        nights.set_state(moment.connection, night, "sealed")
        holds.audit(moment.connection, night, by=by, what="night_released", why=why, at=moment.now)
        moment.add(moves=moves or 0)

    return apply


def _held(connection: Connection, day: date) -> Night:
    night = nights.night_of(connection, day)
    newest = holds.newest_day(connection)
    if night.state != "held":
        raise NotReleasable(
            said(
                "the night of {day} is not held, it is {state}: there is nothing to release",
                day=day,
                state=said(night.state),
            )
        )
    if newest != day:
        raise NotReleasable(
            said(
                "the night of {day} was superseded by the night of {newest}: nothing is released; see: care night list",
                day=day,
                newest=newest,
            )
        )
    return night
