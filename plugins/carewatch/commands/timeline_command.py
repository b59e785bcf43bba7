"""`care timeline`: everything that happened with one customer, whatever the system, in time order."""

from __future__ import annotations

import argparse
from typing import Any, Final

from carewatch.commands.console import (
    by_argument,
    day,
    json_argument,
    language_argument,
    print_json,
    warehouse,
)
from carewatch.flow.explain import customer_number
from carewatch.spec.fact_names import word_label
from carewatch.store import customer_file

HELP = "show everything that happened with a customer in time order, with its source"
KINDS: Final = {
    "order": ("order", "订单"), "usage": ("usage", "使用"), "ticket": ("ticket", "工单"), "contract": ("contract", "合同"),
    "campaign": ("campaign", "活动"), "conversation": ("conversation", "沟通"), "contact": ("contact", "联系人"),
    "invoice": ("invoice", "账单"), "payment": ("payment", "回款"), "survey": ("survey", "满意度"), "note": ("note", "备注"),
    "reason": ("reason", "合理原因"), "document": ("document", "文档"), "market": ("market", "市场"),
    "organisation": ("organisation", "隶属关系"),
}  # fmt: skip
"""What each kind of event is called in English and Chinese."""

_OWN_WORDS: Final = {
    "opened": "新建", "complaint opened": "投诉", "used": "使用", "issued": "开票", "paid": "付款",
}  # fmt: skip
_PIECES: Final = {
    "due ": "约定 ", "ends ": "到期 ", "notice by ": "通知截止 ", "logins ": "登录 ", "users ": "用户 ", "core seconds ": "核心秒数 ",
    "seconds ": "秒数 ", "errors ": "错误 ", "after ": "历时 ", "came": "已到场", "was invited": "已邀请",
    "decision maker": "决策人", "main contact": "主要联系人", "tone ": "语气 ", "score ": "评分 ",
    "matters until ": "有效期至 ", "from ": "自 ", "until ": "至 ", "cheaper by ": "低价 ",
}  # fmt: skip
"""How the words that begin a piece of an event's text are said in Chinese."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument("--from", dest="first", type=day, default=None, metavar="DAY", help="first day shown")
    parser.add_argument("--to", dest="last", type=day, default=None, metavar="DAY", help="last day shown")
    language_argument(parser)
    parser.add_argument(
        "--show-personal", action="store_true", help="personal texts as they are; leaves a trace"
    )
    by_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse(chosen) as connection:
        number, customer_id = customer_file.customer_now(
            connection, customer_number(connection, chosen.customer)
        )
        if chosen.show_personal:
            customer_file.note_reading(connection, customer_id, by=chosen.by, what="care timeline")
        events = customer_file.timeline(
            connection, number, first=chosen.first, last=chosen.last, personal=chosen.show_personal
        )
    if chosen.json:
        print_json(events)
    else:
        for event in events:
            print(_line(event, chosen.language))
        if not events:
            print("nothing happened" if chosen.language == "en" else "没有任何记录")
    return 0


def _line(event: dict[str, Any], language: str) -> str:
    kind = KINDS[event["kind"]][0 if language == "en" else 1]
    money = "" if event["amount"] is None else f"{event['amount']:,.2f} {event['currency'] or ''}".strip()
    said = "" if event["personal"] is None else f"“{event['personal']}”"
    pieces = (_piece(piece, language) for piece in (event["text"] or "").split(", "))
    text = (", " if language == "en" else "，").join(pieces)
    what = _word(event["what"], language)
    parts = "  ".join(part for part in (text, money, said) if part)
    return f"{event['day']}  {kind}{'' if what == kind else f' {what}'}  {parts}  [{event['source']}]"


def _word(word: str, language: str) -> str:
    if language == "en":
        return word.replace("_", " ")
    try:
        return _OWN_WORDS.get(word) or word_label(word, "zh-CN")
    except KeyError:
        return word


def _piece(piece: str, language: str) -> str:
    """Return one piece of an event's text, its leading word in the language."""
    if language == "zh-CN":
        for word, said in _PIECES.items():
            if piece.startswith(word):
                return said + piece.removeprefix(word)
    return piece
