"""Answer the question: what do people call facts, their columns and words, in English and in Chinese?

The one vocabulary: the template workbook, spreadsheet imports, guesses of mappings and texts for editors read it. The
registry (`facts.py`) says what a column means in English; here stand its names, its meaning in Chinese, and other
headings under which it is met in files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.source_words import WORDS

Language = Literal["en", "zh-CN"]


@dataclass(frozen=True)
class Named:
    """What something is called: in Chinese, in English (its own name with blanks when empty), and elsewhere."""

    zh: str
    means: str = ""
    en: str = ""
    also: tuple[str, ...] = ()


KEY, CUSTOMER, EVENT_AT, WITHDRAWN = "key", "customer", "event_at", "withdrawn"
"""What every row says beside its fact's own columns: its number, whose it is, when it happened, that it is void."""

FACT_NAMES: Final[dict[str, Named]] = {
    "customer": Named("客户", en="customers", also=("客户档案", "客户资料", "客户信息", "accounts", "clients")),
    "contact_event": Named("联系人", en="contacts", also=("联系人变动", "contact changes")),
    "contract_event": Named("合同", en="contracts", also=("合同变动", "contract changes")),
    "order": Named("订单", en="orders", also=("销售订单", "sales orders")),
    "order_event": Named("订单进度", en="order progress"),
    "order_line": Named("订单明细", en="order lines", also=("订单行", "销售明细")),
    "interaction": Named("沟通记录", en="interactions", also=("拜访记录", "跟进记录", "通话记录", "call records", "activities")),
    "ticket": Named("工单", en="tickets", also=("服务工单", "售后工单")),
    "ticket_event": Named("工单进度", en="ticket progress"),
    "survey": Named("满意度", en="surveys", also=("满意度调查", "satisfaction")),
    "invoice": Named("账单", en="invoices", also=("发票", "应收账款")),
    "payment": Named("回款", en="payments", also=("收款", "付款")),
    "usage_day": Named("使用情况", en="usage", also=("使用日志",)),
    "market_event": Named("市场与竞品事件", en="market events", also=("竞品动态", "市场事件", "行业动态", "competitor events")),
    "organisation_link": Named("隶属关系", en="organisation links", also=("母子公司",)),
    "same_customer": Named("客户对应关系", en="id map", also=("客户对照表", "id mapping", "customer mapping")),
    "note": Named("备注", en="notes", also=("风险备注", "会议纪要", "meeting notes")),
    "reasonable_reason": Named("合理原因", en="reasonable reasons", also=("合理理由",)),
    "document": Named("文档", en="documents", also=("资料", "交付物")),
    "indicator_value": Named("每周指标", en="weekly indicators", also=("指标值", "指标", "indicators", "indicator values")),
    "fx_rate": Named("汇率", en="exchange rates"),
}  # fmt: skip
"""What the table of each fact is called."""

_MONEY: Final = ("金额（元）", "金额(元)", "总额", "total", "value")

COMMON_NAMES: Final[dict[str, Named]] = {
    KEY: Named("编号", "这一行的固定编号；留空时由其他列推出。之后要改日期或客户的行请填写", "number", ("序号", "id", "no.", "row id")),
    CUSTOMER: Named("客户编号", "客户在本公司系统中的编号", "customer",
                    ("客户", "客户代码", "客户号", "customer id", "customer code", "customer no", "account id", "account", "client id")),
    EVENT_AT: Named("日期", "事情发生的日期，可带时间；必须写年份", "date",
                    ("时间", "发生时间", "发生日期", "happened at", "event at", "time")),
    WITHDRAWN: Named("作废", "填“是”表示这一行不再成立", "void", ("已作废", "withdrawn", "cancelled row")),
}  # fmt: skip
"""What the columns are called that every fact has."""

_COLUMNS: Final[dict[str, Named]] = {
    "name": Named("名称", "名称", also=("客户名称", "公司名称", "customer name", "company")),
    "credit_code": Named("统一社会信用代码", "同一家公司在各系统中的共同编号", also=("信用代码", "uscc")),
    "parent": Named("上级客户", "所属母公司的客户编号", "parent customer", ("母公司", "总公司")),
    "industry": Named("行业", "行业", also=("所属行业",)),
    "region": Named("区域", "销售区域", also=("大区", "销售区域", "area")),
    "country": Named("国家", "国家", also=("国家地区",)),
    "market": Named("销往市场", "客户产品销往的市场（若不是所在国）", also=("目标市场",)),
    "segment": Named("细分", "公司自己的客户分类", also=("客户分类", "客户类型")),
    "owner": Named("客户经理", "负责人的编号（people.yaml）", also=("负责人", "业务员", "销售", "account manager", "sales rep")),
    "credit_limit": Named("信用额度", "信用额度（本位币）", also=("授信额度",)),
    "profit_rate": Named("利润率", "利润占销售额的百分比", also=("毛利率", "margin")),
    "consent": Named("同意自动邮件", "是否同意接收系统自动邮件", "agrees to machine mail"),
    "benchmark": Named("标杆客户", "是否本行业或本区域的标杆", "benchmark customer"),
    "potential": Named("潜在年采购额", "一年内可能的采购额（本位币）", "yearly potential"),
    "email": Named("邮箱", "接收系统邮件的地址", also=("电子邮箱", "邮件", "mail")),
    "phone": Named("电话", "电话号码", also=("手机", "联系电话", "telephone", "mobile")),
    "contact": Named("联系人编号", "联系人在系统中的编号", "contact", ("联系人", "contact id")),
    "what": Named("类型", "类型", "kind", ("类别", "事件", "type", "event")),
    "role": Named("职务", "在客户公司的职务", also=("职位", "title", "position")),
    "decision_maker": Named("决策人", "是否参与采购决策", also=("关键决策人",)),
    "main": Named("主要联系人", "是否主要联系人", "main contact"),
    "department": Named("部门", "在客户公司的部门"),
    "reports_to": Named("上级联系人", "上级联系人的编号"),
    "contract": Named("合同号", "合同编号", "contract number", ("合同编号", "contract no", "contract id")),
    "kind": Named("种类", "种类", "sort", ("订单类型", "订单种类", "order type")),
    "ends_on": Named("结束日期", "最后一天", "last day", ("到期日", "截止日期", "end date")),
    "starts_on": Named("开始日期", "第一天", "first day", ("起始日期", "start date")),
    "notice_on": Named("通知截止日", "可提出终止的最后一天", "notice by"),
    "amount": Named("金额", "金额；可写 86万元、¥1,200.50、(1,234)", also=_MONEY),
    "amount_original": Named("原币金额", "来源系统给出的金额", "original amount"),
    "currency": Named("币种", "金额的币种，如 CNY；留空为本位币", also=("货币",)),
    "line": Named("业务线", "业务或产品线", "business line", ("产品线", "product line")),
    "order_no": Named("订单号", "订单编号", "order number", ("订单编号", "单号", "order no", "order id")),
    "due_on": Named("应到日期", "约定日期", "due on", ("到期日", "due date")),
    "product": Named("产品", "产品编码", also=("产品编码", "商品编码", "sku", "product code")),
    "quantity": Named("数量", "数量", also=("件数", "qty", "units")),
    "channel": Named("渠道", "电话、邮件、聊天或上门", also=("沟通方式",)),
    "direction": Named("方向", "来自客户，或由我方发起"),
    "invited": Named("已邀请", "是否邀请了客户"),
    "attended": Named("已到场", "客户是否到场"),
    "tone": Named("语气", "沟通的语气", also=("态度",)),
    "person": Named("我方人员", "我方人员的编号（people.yaml）", "our person", ("记录人", "跟进人", "员工")),
    "campaign": Named("活动", "所属的营销活动"),
    "result": Named("通话结果", "电话是否接通", "call result", ("结果",)),
    "elapsed": Named("用时（秒）", "用了多少整秒", "seconds taken", ("时长", "通话时长", "时长（秒）", "duration", "duration seconds")),
    "summary": Named("内容摘要", "说了什么", also=("摘要", "沟通内容", "content")),
    "reference": Named("存放位置", "录音、聊天存档或文件的位置", "recording or archive", ("录音", "录音地址", "链接", "link", "recording")),
    "ticket_no": Named("工单号", "工单编号", "ticket number", ("工单编号", "ticket no", "ticket id")),
    "priority": Named("优先级", "优先级", also=("紧急程度",)),
    "complaint": Named("投诉", "是否投诉", also=("是否投诉", "is complaint")),
    "score": Named("评分", "1 到 5 分", also=("满意度评分", "rating")),
    "score_original": Named("原始评分", "原量表上的评分", "original score"),
    "scale": Named("量表", "评分的量表", also=("评分标准",)),
    "comment": Named("评语", "客户写下的评语", also=("意见", "feedback")),
    "invoice_no": Named("账单号", "账单编号", "invoice number", ("发票号", "发票号码", "invoice no", "invoice id")),
    "logins": Named("登录次数", "登录次数"),
    "active_users": Named("活跃用户数", "不同用户的数量"),
    "seconds": Named("使用秒数", "使用的秒数", "seconds used"),
    "core_seconds": Named("核心功能秒数", "使用核心功能的秒数", "core seconds used"),
    "errors": Named("错误次数", "用户遇到的错误次数"),
    "price_gap": Named("价差（%）", "竞争对手便宜的百分比", "price gap in %", ("价差", "低价幅度", "price gap")),
    "cost_rise": Named("成本上涨（%）", "客户经营成本上涨的百分比", "cost rise in %", ("成本上涨", "cost rise")),
    "public": Named("已公开", "是否已见诸报道"),
    "title": Named("标题", "标题", also=("主题", "headline")),
    "expires_on": Named("有效期至", "仍然有意义的最后一天", "matters until", ("失效日期", "expires on")),
    "share": Named("持股比例（%）", "持有的股份百分比", "share in %", ("持股比例",)),
    "other_source": Named("对方系统", "另一来源在 sources.yaml 中的名称", "other source", ("system",)),
    "other_key": Named("对方客户编号", "客户在另一来源中的编号", "key there"),
    "severity": Named("严重程度", "留空时由规则决定", also=("风险等级", "程度")),
    "origin_kind": Named("来源", "来自会议、电话、反馈、新闻或拜访", "where from", ("信息来源",)),
    "text": Named("说明", "写下的内容", also=("内容", "备注内容", "详情", "details")),
    "covers": Named("涉及指标", "能解释的指标，以空格分隔；留空为全部", "indicators covered"),
    "project": Named("项目", "项目或合同的编号", also=("项目编号",)),
    "indicator": Named("指标", "指标名称", also=("指标名称", "indicator name")),
    "value": Named("数值", "指标的数值", also=("值", "指标值")),
    "rate": Named("汇率", "一单位外币折合的本位币", also=("exchange rate",)),
}  # fmt: skip

_OF_FACT: Final[dict[tuple[str, str], Named]] = {
    ("customer", EVENT_AT): Named("合作开始日", "与客户合作开始的日期", "customer since",
                                  ("建立合作日期", "合作日期", "since", "start of the relation")),
    ("contact_event", "what"): Named("变动", "加入、变更或离职", "change", ("变动类型", "事件")),
    ("contact_event", "name"): Named("姓名", "联系人的姓名", "person's name", ("联系人姓名", "contact name")),
    ("contract_event", "what"): Named("变动", "签订、续签、取消或结束", "change", ("变动类型", "事件")),
    ("contract_event", "kind"): Named("合同种类", "合同、试用、课程或项目；留空为合同", "sort of contract"),
    ("contract_event", "amount"): Named("合同金额", "合同期内的金额", "value", ("合同额", "contract value", "amount")),
    ("order", EVENT_AT): Named("下单日期", "客户下单的日期", "order date", ("订单日期", "日期", "ordered at")),
    ("order", "kind"): Named("订单种类", "常规、备件、一次性或贷项；留空为常规", "sort of order", ("订单类型", "order type")),
    ("order", "amount"): Named("订单金额", "订单金额；可写 86万元、¥1,200.50、(1,234)", "order amount", ("金额", *_MONEY, "amount")),
    ("order", "due_on"): Named("交货日期", "约定的交货日期", "promised delivery", ("交期", "delivery date")),
    ("order_event", "what"): Named("进度", "确认、交付或取消", "progress", ("状态", "status")),
    ("order_line", "kind"): Named("订单种类", "常规、备件、一次性或贷项；留空为常规", "sort of order", ("订单类型",)),
    ("interaction", "what"): Named("沟通类型", "电话、拜访、会议、询价、邮件、聊天或活动", "kind of contact", ("类型", "沟通方式", "type")),
    ("ticket_event", "what"): Named("进度", "工单的进展", "progress", ("状态", "status")),
    ("ticket_event", "elapsed"): Named("用时（秒）", "自工单建立以来的整秒数", "seconds since opened"),
    ("survey", "what"): Named("调查内容", "满意度、推荐意愿或续约把握；留空为满意度", "question"),
    ("invoice", EVENT_AT): Named("开票日期", "开出账单的日期", "invoice date", ("日期", "issued on")),
    ("invoice", "amount"): Named("账单金额", "账单金额", "invoice amount", ("金额", "开票金额", *_MONEY, "amount")),
    ("invoice", "due_on"): Named("付款到期日", "付款的最后一天", "payment due", ("到期日", "应付日期", "due date")),
    ("payment", EVENT_AT): Named("回款日期", "客户付款的日期", "payment date", ("日期", "付款日期", "收款日期", "paid on")),
    ("payment", "amount"): Named("回款金额", "客户付款的金额", "amount paid", ("金额", "付款金额", "收款金额", *_MONEY, "amount")),
    ("market_event", "what"): Named("事件类型", "竞争、与对手合作、政策或行业", "kind of event", ("类型", "类别", "type")),
    ("organisation_link", "what"): Named("变动", "加入或脱离", "change"),
    ("note", "what"): Named("风险标签", "这条备注所指的风险", "risk tag", ("标签", "风险类型", "tag", "risk")),
    ("reasonable_reason", "what"): Named("原因", "数字异常的合理原因", "reason", ("原因类型",)),
    ("document", "what"): Named("文档类型", "合同、报价、项目、交付物、报告或其他", "kind of document"),
    ("indicator_value", EVENT_AT): Named("周", "该周中的任一日期，通常为周一", "week", ("周次", "日期", "week of", "date")),
}  # fmt: skip

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "joined": ("加入", "入职"), "changed": ("变更", "变动"), "left": ("离职", "离开"),
    "signed": ("签订", "签约", "新签"), "renewed": ("续签", "续约"), "cancelled": ("取消", "解约"),
    "ended": ("结束", "到期"), "contract": ("合同",), "trial": ("试用",), "course": ("课程",), "project": ("项目",),
    "regular": ("常规", "正常"), "spare": ("备件", "配件"), "one_off": ("一次性",), "credit": ("贷项", "退货", "红字"),
    "confirmed": ("确认", "已确认"), "delivered": ("交付", "已交付", "已发货"),
    "call": ("电话", "通话"), "visit": ("拜访", "上门"), "meeting": ("会议",), "inquiry": ("询价", "咨询"),
    "mail": ("邮件",), "chat": ("聊天", "会话", "微信"), "event": ("活动",), "in": ("来自客户", "呼入"), "out": ("我方发起", "呼出"),
    "warm": ("热情",), "neutral": ("一般", "中性"), "distant": ("冷淡",), "negative": ("负面", "不满"),
    "answered": ("接通", "已接听"), "no_answer": ("未接", "无人接听"), "busy": ("占线", "忙线"), "refused": ("拒接", "挂断"),
    "low": ("低",), "normal": ("普通", "中"), "high": ("高",), "urgent": ("紧急",),
    "first_response": ("首次响应",), "reassigned": ("转派",), "breached": ("超时",), "resolved": ("已解决", "解决"),
    "reopened": ("重新打开", "重开"), "closed": ("关闭", "已关闭"),
    "satisfaction": ("满意度",), "recommend": ("推荐意愿",), "renewal": ("续约把握",),
    "competitor": ("竞争对手", "竞品", "竞争"), "cooperation": ("与对手合作",), "policy": ("政策",), "industry": ("行业",),
    "price": ("价格",), "quality": ("质量",), "service": ("服务",), "relation": ("关系", "客情"), "payment": ("付款", "回款"),
    "need": ("需求变化", "需求"), "chance": ("机会", "商机"),
    "watch": ("关注",), "mild": ("轻度", "轻"), "moderate": ("中度",), "severe": ("重度", "严重"), "critical": ("紧急", "危急"),
    "feedback": ("反馈", "客户反馈"), "news": ("新闻", "行业新闻"),
    "low_season": ("淡季",), "holiday": ("放假", "假期"), "stocktaking": ("盘点", "年终盘点"),
    "relocation": ("搬迁", "搬厂"), "agreed_pause": ("约定暂停", "协商暂停"), "other": ("其他", "其它"),
    "offer": ("报价", "方案"), "deliverable": ("交付物",), "report": ("报告",),
    "5": ("五分制",), "100": ("百分制",), "nps": ("净推荐值",),
}  # fmt: skip
"""What people write in Chinese for a word of a closed set, the usual one first."""


def fact_label(fact: str, language: Language) -> str:
    """Return what the table of a fact is called."""
    named = FACT_NAMES[fact]
    return named.zh if language == "zh-CN" else (named.en or fact.replace("_", " ")).capitalize()


def column_named(fact: str, column: str) -> Named:
    """Return the names of a fact's column, or of one that every fact has."""
    return _OF_FACT.get((fact, column)) or COMMON_NAMES.get(column) or _COLUMNS[column]


def column_label(fact: str, column: str, language: Language) -> str:
    """Return the heading of a column."""
    named = column_named(fact, column)
    return named.zh if language == "zh-CN" else (named.en or column.replace("_", " ")).capitalize()


_COMMON_MEANS: Final = {
    KEY: "a number of this row for good; made from the other columns when empty. Give one where date or customer may change",
    CUSTOMER: "the customer's key in your own system",
    EVENT_AT: "when it happened: a date, perhaps with a time; the year is needed",
    WITHDRAWN: "yes: what this row says does not hold any more",
}


def column_help(fact: str, column: str, language: Language) -> str:
    """Return what a column means."""
    if language == "zh-CN":
        return column_named(fact, column).means
    own = FACTS[fact].column(column)
    return own.means if own is not None else _COMMON_MEANS[column]


def word_label(word: str, language: Language) -> str:
    """Return what people write for a word of a closed set."""
    return _WORDS[word][0] if language == "zh-CN" else word.replace("_", " ")


def spellings(fact: str, column: str) -> dict[str, str]:
    """Return the words of a closed set by every folded spelling; empty where any text will do."""
    return {
        fold(said): word
        for word in WORDS.get((fact, column), ())
        for said in (word, word.replace("_", " "), *_WORDS[word])
    }


def columns_by_heading(fact: str) -> dict[str, str]:
    """Return the columns of a fact by every folded heading under which they are known, their own names first."""
    found: dict[str, str] = {}
    for rank in range(4):
        for column in _columns(fact):
            for heading in _headings(fact, column)[rank]:
                found.setdefault(fold(heading), column)
    return found


def facts_by_title() -> dict[str, str]:
    """Return the facts by every folded name of their table."""
    return {
        fold(title): fact
        for fact, named in FACT_NAMES.items()
        for title in (fact, fact.replace("_", " "), named.zh, named.en, *named.also)
        if title
    }


def fold(text: str) -> str:
    """Return a heading or word with width, case, blanks and a mark of need evened out."""
    even = unicodedata.normalize("NFKC", text).casefold().replace("_", " ").strip().rstrip("*").strip()
    return " ".join(even.split())


def _columns(fact: str) -> Iterator[str]:
    yield from COMMON_NAMES
    yield from (column.name for column in FACTS[fact].columns)


def _headings(fact: str, column: str) -> tuple[tuple[str, ...], ...]:
    """Return the headings of a column: its labels, its name in the registry, the common labels, those met elsewhere."""
    named = column_named(fact, column)
    shared = COMMON_NAMES.get(column) or _COLUMNS[column]
    own = (column_label(fact, column, "en"), column_label(fact, column, "zh-CN"))
    return own, (column,), (shared.zh, *filter(None, [shared.en])), (*named.also, *shared.also)


FLAG_WORDS: Final = {"en": ("yes", "no"), "zh-CN": ("是", "否")}
"""What people write for yes and no."""


def choices(fact: str, column: str, language: Language) -> tuple[str, ...]:
    """Return what a cell of the column may hold, where that is a closed set."""
    own = FACTS[fact].column(column)
    if column == WITHDRAWN or (own is not None and own.kind is Kind.FLAG):
        return FLAG_WORDS[language]
    return tuple(word_label(word, language) for word in WORDS.get((fact, column), ()))
