"""`care views`: the read-only views for reports and BI tools."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from carewatch.commands.console import json_argument, language_argument, print_json, warehouse
from carewatch.store.views import View, views

HELP = "list the views for reports and BI tools with a sentence each; --page writes docs/bi.md"

_OPENING = """\
# Views for reports and BI

Written from the comments in the warehouse by `care views --page`; a test keeps it fresh. Do not edit it by hand.

The schema `bi` is what reports and BI tools connect to. Its views are read only and their columns stay when tables of `care` change.
No personal column is among them: no names of people, addresses, telephone numbers or texts that people wrote. The role `care_reader` may
read the schema and nothing else; give it to the tool's user:

```text
create role metabase login password '...';
grant care_reader to metabase;
```

`customer_id`, `warning_no`, `rule` and `owner_id` join the views. Ask `bi.metrics` and `bi.health_history` for a `day`: they hold every
night. Nothing here is proof of cause: `right_share` counts how warnings ended, not why.

`bi` 模式供报表与 BI 工具连接：视图只读，列名稳定，不含个人信息；角色 `care_reader` 只能读取这些视图。
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    language_argument(parser, "en")
    parser.add_argument("--page", action="store_true", help="print the page docs/bi.md")
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        found = views(connection)
    if chosen.json:
        print_json([asdict(view) for view in found])
    elif chosen.page:
        print(page(found), end="")
    else:
        width = max(len(view.name) for view in found) + len("bi.")
        for view in found:
            print(f"{f'bi.{view.name}':{width}}  {view.says[chosen.language]}")
    return 0


def page(found: list[View]) -> str:
    """Return the page about the views."""
    lines = [_OPENING]
    for view in found:
        lines += [f"## bi.{view.name}", "", f"{view.says['en']}.  ", f"{view.says['zh-CN']}。", ""]
        lines += ["| column | type | means | 含义 |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {one.type} | {one.means['en']} | {one.means['zh-CN']} |"
            for one in view.columns
        ]
        lines.append("")
    return "\n".join(lines)
