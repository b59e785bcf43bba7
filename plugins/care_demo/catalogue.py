"""The invented world the demo firm trades in: places, industries, products, names."""

from __future__ import annotations

from typing import NamedTuple


class Industry(NamedTuple):
    weight: float
    chinese: str
    english: str
    peak_month: int


class Product(NamedTuple):
    sku: str
    unit_price: float


REGIONS: dict[str, tuple[float, tuple[tuple[str, str], ...]]] = {
    "华东": (0.40, (("苏州", "Suzhou"), ("宁波", "Ningbo"), ("无锡", "Wuxi"), ("合肥", "Hefei"))),
    "华南": (0.22, (("东莞", "Dongguan"), ("佛山", "Foshan"), ("珠海", "Zhuhai"))),
    "华北": (0.12, (("天津", "Tianjin"), ("保定", "Baoding"))),
    "华中": (0.10, (("武汉", "Wuhan"), ("长沙", "Changsha"))),
    "西南": (0.08, (("成都", "Chengdu"), ("重庆", "Chongqing"))),
    "东北": (0.05, (("沈阳", "Shenyang"), ("长春", "Changchun"))),
    "西北": (0.03, (("西安", "Xi'an"),)),
}

INDUSTRIES: dict[str, Industry] = {
    "automotive": Industry(0.26, "汽车零部件", "Auto Parts", 11),
    "electronics": Industry(0.24, "电子", "Electronics", 9),
    "machinery": Industry(0.26, "机械", "Machinery", 4),
    "textiles": Industry(0.13, "纺织", "Textiles", 3),
    "medical": Industry(0.11, "医疗器械", "Medical Devices", 6),
}

SEGMENTS = (("oem", 0.45), ("distributor", 0.25), ("end_user", 0.20), ("trader", 0.10))
END_MARKETS = (("CN", 0.70), ("DE", 0.12), ("US", 0.10), ("VN", 0.08))

_LINE_PRICES = {"bearing": 85.0, "seal": 24.0, "connector": 38.0, "sensor": 260.0, "fastener": 6.5}
PRODUCTS: dict[str, tuple[Product, ...]] = {
    line: tuple(
        Product(f"{line[:3].upper()}-{100 + 5 * n}", round(price * (0.6 + 0.13 * n), 2)) for n in range(10)
    )
    for line, price in _LINE_PRICES.items()
}
PRODUCT_LINES = tuple(PRODUCTS)

# Rare characters in rare pairs, so that no real company is meant.
_FIRST = "澜栎砚岫霁聿沅珩棠翊昀蓁旻屿芃钧淮朔榆衡"
_SECOND = "沐川曜桥驰禾芯锐拓原甬舟砺松岳泓垚晟图羽"
_FIRST_EN = (
    "Lan", "Li", "Yan", "Xiu", "Ji", "Yu", "Yuan", "Heng", "Tang", "Yi", "Yun", "Zhen", "Min",
    "Zhou", "Peng", "Jun", "Huai", "Shuo", "Elm", "Hua",
)  # fmt: skip
_SECOND_EN = (
    "mu", "chuan", "yao", "qiao", "chi", "he", "xin", "rui", "tuo", "yuan", "yong", "zhou", "li",
    "song", "yue", "hong", "gao", "sheng", "tu", "yu",
)  # fmt: skip
NAME_PAIRS = len(_FIRST) * len(_SECOND)

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林"
GIVEN_NAMES = (
    "建国", "雅文", "志强", "思远", "海燕", "明哲", "丽娜", "文博", "晓东", "静怡", "宏伟", "雨桐",
    "Jason", "Emily", "Frank", "Linda",
)  # fmt: skip
MAIN_TITLE = "采购经理 Purchasing Manager"
OTHER_TITLES = ("生产主管 Production Lead", "质量工程师 Quality Engineer", "财务 Finance", "仓储 Warehouse")

COMPETITORS = ("Norvik Components", "东屹工业", "Kestrel Industrial", "瀚桐精工")
TICKET_SUBJECTS = ("delivery question", "certificate missing", "wrong quantity", "drawing clarification")
COMPLAINT_SUBJECTS = ("quality defect 质量问题", "late delivery 交货延误", "repeated failure 反复故障")
CUSTOMER_EVENTS = ("技术研讨会 Tech Seminar", "客户日 Customer Day", "展会 Trade Fair")


def company_name(pair: int, *, city: tuple[str, str], industry: Industry, in_english: bool) -> str:
    """Make one company name; equal only for equal pair, city, industry and language."""
    first, second = divmod(pair % NAME_PAIRS, len(_SECOND))
    series = "" if pair < NAME_PAIRS else f" {pair // NAME_PAIRS + 1}"
    if in_english:
        return f"{city[1]} {_FIRST_EN[first]}{_SECOND_EN[second]} {industry.english}{series} Co., Ltd."
    return f"{city[0]}{_FIRST[first]}{_SECOND[second]}{industry.chinese}{series}有限公司"
