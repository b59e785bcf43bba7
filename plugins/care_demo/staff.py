"""The people of the demo firm; the configuration of people names the same ids."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Employee:
    """One employee; `manager_id` is None only for the head of sales and the head of service."""

    id: str
    name: str
    role: str
    team: str
    manager_id: str | None
    regions: tuple[str, ...] = ()


STAFF = (
    Employee("vp01", "沈望舒", "sales_vp", "sales", None),
    Employee("sm01", "顾临川", "sales_manager", "sales-east", "vp01", ("华东", "华中", "西南")),
    Employee("sm02", "Grace Luo", "sales_manager", "sales-other", "vp01", ("华南", "华北", "东北", "西北")),
    Employee("am01", "陈一苇", "account_manager", "sales-east", "sm01", ("华东",)),
    Employee("am02", "Kevin Tang", "account_manager", "sales-east", "sm01", ("华东",)),
    Employee("am03", "许知微", "account_manager", "sales-east", "sm01", ("华东",)),
    Employee("am04", "梁南乔", "account_manager", "sales-other", "sm02", ("华南",)),
    Employee("am05", "Vivian Mo", "account_manager", "sales-other", "sm02", ("华南",)),
    Employee("am06", "郭远山", "account_manager", "sales-other", "sm02", ("华北",)),
    Employee("am07", "唐若谷", "account_manager", "sales-east", "sm01", ("华中", "西南")),
    Employee("am08", "佟北辰", "account_manager", "sales-other", "sm02", ("东北", "西北")),
    Employee("cs00", "丁语禾", "service_manager", "service", None),
    Employee("cs01", "方小满", "service_agent", "service", "cs00"),
    Employee("cs02", "Leo Qian", "service_agent", "service", "cs00"),
    Employee("cs03", "柳静姝", "service_agent", "service", "cs00"),
    Employee("cs04", "秦牧野", "service_agent", "service", "cs00"),
)

AGENTS = tuple(person.id for person in STAFF if person.role == "service_agent")


def managers_of(region: str) -> tuple[str, ...]:
    """Name the account managers who look after a region."""
    return tuple(p.id for p in STAFF if p.role == "account_manager" and region in p.regions)
