"""Print the points of this example's health model, derived from invoices without looking at who left.

    python examples/online_retail/derive_points.py invoice_lines.csv.gz [--before 2010-12-01]

The file has the columns invoice, invoice_ts (local time), customer_id, stock_code, quantity and
unit_price. Only lines before the given day (00:00) are kept, so nothing that happens later can move a
knot. The customers are those active on that day: at least 3 order days in the 365 days before it, the
last one at most 90 days before. The output is the quantiles of every scored metric over these customers
and the `dimensions` of health.yaml; the same file always gives the same output. Another firm runs it on
its own invoices to get its own points, but keeps those of silence_over_own_gap: that ratio means the same
in every firm, and where many customers are already leaving its own quantiles would call that normal.

Two shapes of points, both by quantile, with knots rounded to two significant digits:
- more, less: the 5, 25, 50, 75 and 95 % quantiles earn 0, 25, 50, 75 and 100 points (in reverse where
  less is better). Quantiles that coincide share the mean of their points; a metric of which more is
  better earns 0 at 0.
- tail: full points up to the 75 % quantile, half at the 95 %, none from the 99 %. Waiting for the next
  order is normal until it becomes unusual; before that a longer wait tells how often somebody buys, not
  who is leaving.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

SHAPES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "more": ((0.05, 0.25, 0.50, 0.75, 0.95), (0.0, 25.0, 50.0, 75.0, 100.0)),
    "less": ((0.05, 0.25, 0.50, 0.75, 0.95), (100.0, 75.0, 50.0, 25.0, 0.0)),
    "tail": ((0.75, 0.95, 0.99), (100.0, 50.0, 0.0)),
}

LABELS = {
    "frequency": "{en: How often they buy, zh-CN: 购买频率}",
    "recency": "{en: Silence since the last order, zh-CN: 最近沉默}",
    "steadiness": "{en: How steadily they keep buying, zh-CN: 购买稳定性}",
    "value": "{en: What they buy, zh-CN: 购买价值}",
}
# Dimension: weight, then metric: weight in the dimension, shape. Each weight is argued in
# docs/decisions/0010-wholesale-health-model.md.
MODEL: dict[str, tuple[float, dict[str, tuple[float, str]]]] = {
    "frequency": (0.40, {"order_days_365d": (0.625, "more"), "own_gap": (0.375, "less")}),
    "recency": (0.25, {"silence_over_own_gap": (0.8, "tail"), "days_since_order": (0.2, "tail")}),
    "steadiness": (0.15, {"order_days_90d": (0.6, "more"), "gap_irregularity": (0.4, "less")}),
    "value": (0.20, {"net_sales_365d": (0.75, "more"), "products_365d": (0.25, "more")}),
}


def read_product_lines(path: Path, before: pd.Timestamp) -> pd.DataFrame:
    """Return the lines before the day that are about products: a stock code that starts with five digits."""
    lines = pd.read_csv(path, dtype={"invoice": str, "stock_code": str})
    lines["day"] = pd.to_datetime(lines["invoice_ts"]).dt.normalize()
    lines = lines[lines["stock_code"].str.match(r"^\d{5}") & (lines["day"] < before)].copy()
    lines["amount"] = lines["quantity"] * lines["unit_price"]
    lines["credit"] = lines["invoice"].str.startswith("C")
    lines["sold"] = ~lines["credit"] & (lines["quantity"] > 0) & (lines["unit_price"] > 0)
    return lines


def metrics(lines: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the scored metrics of the active customers at 00:00 of the day, missing ones as NaN."""
    sold = lines[lines["sold"]]
    year = pd.Timedelta(days=365)
    orders = sold[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    values = pd.DataFrame(
        {
            "order_days_365d": orders[orders["day"] >= day - year].groupby("customer_id").size(),
            "order_days_90d": _count_since(orders, day - pd.Timedelta(days=90)),
            "days_since_order": (day - orders.groupby("customer_id")["day"].max()).dt.days,
            "net_sales_365d": lines[lines["day"] >= day - year].groupby("customer_id")["amount"].sum(),
            "products_365d": sold[sold["day"] >= day - year].groupby("customer_id")["stock_code"].nunique(),
        }
    ).join(rhythm(orders, day))
    values["order_days_90d"] = values["order_days_90d"].fillna(0)
    return values[(values["order_days_365d"] >= 3) & (values["days_since_order"] <= 90)]


def _count_since(orders: pd.DataFrame, start: pd.Timestamp) -> pd.Series:
    return orders[orders["day"] >= start].groupby("customer_id").size()


def rhythm(orders: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return own gap, silence over it (from 3 order days on) and irregularity (from 4), over 730 days."""
    recent = orders[orders["day"] >= day - pd.Timedelta(days=730)]
    gap = recent.groupby("customer_id")["day"].diff().dt.days
    of_customer = gap.groupby(recent["customer_id"])
    count, mean = of_customer.count(), of_customer.mean()
    silence = (day - recent.groupby("customer_id")["day"].max()).dt.days
    return pd.DataFrame(
        {
            "own_gap": mean.where(count >= 2),
            "silence_over_own_gap": (silence / mean).where(count >= 2),
            "gap_irregularity": (of_customer.std(ddof=0) / mean).where(count >= 3),
        }
    )


def two_digits(value: float) -> float:
    """Return the value rounded to two significant digits."""
    return float(f"{value:.2g}")


def knots(values: pd.Series, shape: str) -> dict[float, float]:
    """Return the points by value for a metric of shape `more` (is better), `less` or `tail`."""
    quantiles, points = SHAPES[shape]
    shared: dict[float, list[float]] = {}
    for value, worth in zip(np.quantile(values.dropna(), quantiles), points, strict=True):
        shared.setdefault(two_digits(float(value)), []).append(worth)
    result = {value: sum(worths) / len(worths) for value, worths in shared.items()}
    first = next(iter(result))
    return {0.0: 0.0} | result if shape == "more" and result[first] > 0 else result


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("invoices", type=Path)
    arguments.add_argument("--before", type=pd.Timestamp, default=pd.Timestamp("2010-12-01"))
    given = arguments.parse_args()
    values = metrics(read_product_lines(given.invoices, given.before), given.before)

    print(f"# {len(values)} active customers at 00:00 of {given.before.date()}; quantiles of their metrics:")
    shown = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    print(f"# {'metric':22}" + "".join(f"{share * 100:>9g}%" for share in shown) + "   missing")
    for _, content in MODEL.values():
        for name in content:
            cells = "".join(f"{cut:10.2f}" for cut in values[name].quantile(list(shown)))
            print(f"# {name:22}{cells}{values[name].isna().mean():9.1%}")
    print("dimensions:")
    for dimension, (weight, content) in MODEL.items():
        print(f"  {dimension}:\n    label: {LABELS[dimension]}\n    weight: {weight:g}\n    metrics:")
        for name, (share, shape) in content.items():
            points = ", ".join(f"{value:g}: {worth:g}" for value, worth in knots(values[name], shape).items())
            print(f"      {name}: {{weight: {share:g}, points: {{{points}}}}}")


if __name__ == "__main__":
    main()
