"""Answer the question: what counts as known and as having happened?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Cut:
    """What a night may see: facts with event_at < event_cut that were believed at knowledge_cut.

    `day` is the firm-local date of `event_cut`; both instants are aware. `later_histories` names the loads whose rows
    are assumed to have been known long ago but came only after somebody had looked at this moment: they were not there
    to be seen. A backtest, which asks what could have been known, leaves it empty.
    """

    day: date
    event_cut: datetime
    knowledge_cut: datetime
    zone: ZoneInfo
    later_histories: tuple[str, ...] = ()

    @property
    def last_day(self) -> date:
        """The last firm-local day of which something is seen: the day before at midnight, the day itself later on."""
        return (self.event_cut - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def next_day(self) -> date:
        """The day of the first night that sees all of this: the cut's own day at midnight, else the day after."""
        return self.last_day + timedelta(days=1)

    @classmethod
    def at(cls, day: date, zone: ZoneInfo, knowledge_cut: datetime | None = None) -> Cut:
        """Return the cut at 00:00 of `day`; without a knowledge cut the two are one moment, as in a backtest."""
        midnight = local_midnight(day, zone)
        return cls(day, midnight, knowledge_cut or midnight, zone)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return 00:00 of the day in the zone as an aware UTC instant (of two, the earlier; of none, where it would be)."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def instant_literal(at: datetime) -> str:
    """Return the instant as an SQL literal in UTC, to the microsecond."""
    return f"timestamptz '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"


def day_literal(day: date) -> str:
    """Return the day as an SQL literal."""
    return f"date '{day:%Y-%m-%d}'"


def text_literal(text: str) -> str:
    """Return a text of our own as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
