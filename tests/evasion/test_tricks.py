"""Every trick: what it is seen through as, where, and what stays itself."""

from __future__ import annotations

import base64

import pytest

from moderation.evasion.tricks import NAMES, TRICKS
from tests.evasion.engines import engine, spans

# (term, text, what is marked, by which trick)
SEEN = [
    ("fuck", "you f.u.c.k off", "f.u.c.k", "separators"),
    ("fuck", "f u c k", "f u c k", "separators"),
    ("fuck", "f\nu\nc\nk", "f\nu\nc\nk", "separators"),
    ("fuck", "f|u|c|k", "f|u|c|k", "separators"),
    ("ass", "a.s.s hole", "a.s.s", "separators"),
    ("傻逼", "你是傻 逼吗", "傻 逼", "separators"),
    ("傻逼", "傻❤️逼", "傻❤️逼", "separators"),
    ("傻逼", "你是傻，逼", "傻，逼", "separators"),
    ("加微信", "加-微-信", "加-微-信", "separators"),
    ("kill yourself", "kill-yourself", "kill-yourself", "separators"),
    ("fuck", "fuuuuck", "fuuuuck", "repeats"),
    ("fuck", "what the fuckkkk is", "fuckkkk", "repeats"),
    ("傻逼", "傻傻傻逼", "傻傻傻逼", "repeats"),
    ("fuck", "fuсk", "fuсk", "homoglyphs"),
    ("nigger", "nig ger", "nig ger", "separators"),
    ("great tits", "g r e a t t i t s", "g r e a t t i t s", "separators"),
    ("傻逼", "s h a b i", "s h a b i", "separators"),
    ("加微信", "加.薇.信", "加.薇.信", "separators"),
    ("傻逼", "你这个煞.笔", "煞.笔", "separators"),
    ("强奸", "弓.虽.女.干", "弓.虽.女.干", "separators"),
    ("shit", "ᔕᕼIT", "ᔕᕼIT", "homoglyphs"),
    ("slut", "ᏚᏞᏌᎢ", "ᏚᏞᏌᎢ", "homoglyphs"),
    ("cunt", "ƈʊɳƭ", "ƈʊɳƭ", "homoglyphs"),
    ("bitch", "ɓιтɕɧ", "ɓιтɕɧ", "homoglyphs"),
    ("cock", "сосκ", "сосκ", "homoglyphs"),
    ("fuck", "f.υ.с.k", "f.υ.с.k", "homoglyphs"),
    ("sex", "ѕех please", "ѕех", "homoglyphs"),
    ("fuck", "fυСk", "fυСk", "homoglyphs"),
    ("shit", "sh1t", "sh1t", "leet"),
    ("shit", "5h!t happens", "5h!t", "leet"),
    ("bitch", "b|tch", "b|tch", "leet"),
    ("ass", "A$$", "A$$", "leet"),
    ("fuck", "fuc|< you", "fuc|<", "leet"),
    ("whore", "what a \\/\\/hore", "\\/\\/hore", "leet"),
    ("slut", "sl|_|t", "sl|_|t", "leet"),
    ("cock", "c()ck", "c()ck", "leet"),
    ("cunt", "(unt", "(unt", "leet"),
    ("shit", "5h1+", "5h1+", "leet"),
    ("fuck", "₣u₵₭", "₣u₵₭", "leet"),
    ("fuck", "phuck", "phuck", "leet"),
    ("faggot", "ph4ggot", "ph4ggot", "leet"),
    ("slut", "5lvt", "5lvt", "leet"),
    ("kill yourself", "ki11 yourse1f", "ki11 yourse1f", "leet"),
    ("cunt", "c u n 7!", "c u n 7", "leet"),
    ("die", "d|e", "d|e", "leet"),
    ("fuck", "f*ck", "f*ck", "masks"),
    ("fuck", "f_ck", "f_ck", "masks"),
    ("fuck", "f█ck", "f█ck", "masks"),
    ("nigger", "n.gger", "n.gger", "masks"),
    ("kill yourself", "go k*ll yourself now", "k*ll yourself", "masks"),
    ("i'd hit that", "i'd h*t that", "i'd h*t that", "masks"),
    ("shit", "s**t happens", "s**t", "masks"),
    ("傻逼", "这个傻*真烦", "傻*", "masks"),
    ("微信", "薇信", "薇信", "homophones"),
    ("微信", "威信", "威信", "homophones"),
    ("傻逼", "一群煞笔", "煞笔", "homophones"),
    ("操你妈", "艹尼玛", "艹尼玛", "homophones"),
    ("弱智", "弱字", "弱字", "near-homophones"),
    ("傻逼", "shabi", "shabi", "pinyin"),
    ("傻逼", "ni zhen sha bi", "sha bi", "pinyin"),
    ("微信", "加wēi xìn", "wēi xìn", "pinyin"),
    ("微信", "wei1 xin4 abc", "wei1 xin4", "pinyin"),
    ("傻逼", "sha3bi1", "sha3bi1", "pinyin"),
    ("你妈", "ni妈的", "ni妈", "pinyin"),
    ("讨厌", "真讨yan", "讨yan", "pinyin"),
    ("加微信", "加vx聊", "加vx", "initials"),
    ("强奸", "弓虽女干犯", "弓虽女干", "splits"),
    ("强奸", "弓虽奸", "弓虽奸", "splits"),
    ("操你妈", "操亻尔女马", "操亻尔女马", "splits"),
    ("脑残", "月囟残", "月囟残", "splits"),
    ("微信", "徽信", "徽信", "variants"),
    ("垃圾", "🌶🐔玩意", "🌶🐔", "emoji"),
    ("牛逼", "🐮🍺啊", "🐮🍺", "emoji"),
    ("加微信", "➕微信", "➕微信", "emoji"),
    ("fuck", "kcuf you", "kcuf", "reversed"),
    ("傻逼", "逼傻", "逼傻", "reversed"),
    ("傻逼", base64.urlsafe_b64encode("??>>傻逼".encode()).decode(), "Pz8-PuWCu-mAvA==", "encoded"),
    ("傻逼", "base64:5L2g5piv5YK76YC8", "5L2g5piv5YK76YC8", "encoded"),
    ("加微信", base64.b64encode("加微信聊".encode()).decode(), "5Yqg5b6u5L+h6IGK", "encoded"),
    ("1000", "日赚一〇〇〇元", "一〇〇〇", "digits"),
    ("13岁", "①③岁", "①③岁", "compatibility"),
    ("13岁", "壹叁岁", "壹叁岁", "digits"),
    ("13岁", "十三岁", "十三岁", "digits"),
    ("13岁", "١٣岁", "١٣岁", "compatibility"),
    ("fuck", "say \u202ekcuf\u202c now", "kcuf", "bidi"),
    ("fuck", "hi \U000e0066\U000e0075\U000e0063\U000e006b!", "\U000e0066\U000e0075\U000e0063\U000e006b", "tags"),
]
TOGETHER = [
    ("微信", "加薇❤️信", "薇❤️信", {"invisibles", "separators", "homophones"}),
    ("bitch", "ｂ.ι.τ.ｃ.h b1тсh", "b1тсh", {"leet", "homoglyphs"}),
    ("强奸", "弓虽jian", "弓虽jian", {"splits", "pinyin"}),
    ("加微信", "力口薇信", "力口薇信", {"splits", "homophones"}),
    ("操你妈", "艹.尼.玛", "艹.尼.玛", {"separators", "homophones"}),
    ("加微信", "jia.wei.xin", "jia.wei.xin", {"separators", "pinyin"}),
    ("fuck", "f*сk", "f*сk", {"masks", "homoglyphs"}),
    ("asshole", "a$$h*le", "a$$h*le", {"masks", "leet"}),
    ("fuck", "кcuf", "кcuf", {"reversed", "homoglyphs"}),
    ("shit", "s.h.1.t", "s.h.1.t", {"separators", "leet"}),
    ("fuck", "fuuu\u200b-cк", "fuuu\u200b-cк", {"invisibles", "separators", "repeats", "homoglyphs"}),
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_the_example_of_a_trick_needs_this_trick_alone(trick: object) -> None:
    name, _, text, term = trick  # type: ignore[misc]
    (span,) = spans(engine(term, resist=(name,)), text)
    assert (span.text, span.term) == (text, term)
    assert name in span.via
    others = tuple(other for other in NAMES if other != name)
    assert all(name not in span.via for span in spans(engine(term, resist=others), text))


@pytest.mark.parametrize(("term", "text", "marked", "via"), SEEN)
def test_seen(term: str, text: str, marked: str, via: str) -> None:
    found = spans(engine(term), text)
    (span,) = [span for span in found if span.text == marked]
    assert via in span.via
    assert text[span.start : span.end] == marked
    assert all(span.start <= other.start and other.end <= span.end for other in found)


@pytest.mark.parametrize(("term", "text", "marked", "via"), TOGETHER)
def test_tricks_together(term: str, text: str, marked: str, via: set[str]) -> None:
    found = spans(engine(term), text)
    assert (marked, via) in [(span.text, set(span.via)) for span in found]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("ass", "class act, pass it as so"),
        ("ass", "the A55 to Chester"),
        ("cock", "со ск, сосна и сок"),
        ("pop", "рор по-русски не слово, а попытка"),
        ("penis", "my pen is blue"),
        ("therapist", "the rapist"),
        ("them", "the m train"),
        ("hell", "he'll call"),
        ("as", "a s"),
        ("fuck", "f*** it"),
        ("shit", "5*6*7 = 210"),
        ("bold", "**b**"),
        ("血洗", "今天要学习"),
        ("阻止", "各个组织"),
        ("孬种", "闹钟响了"),
        ("妈的", "made in China"),
        ("我们", "women's day"),
        ("血洗", "wo xi huan xue xi"),
        ("傻逼", "他很傻，逼我走"),
        ("傻逼", "沙比较细"),
        ("援交", "圆角的桌子"),
        ("强奸", "好女干部"),
        ("卖出", "出卖朋友"),
        ("evil", "live music"),
        ("shit", "tihs is a typo"),
        ("4s", "iphone 45"),
        ("fuck", "fck"),
        ("fuck", "f ck"),
        ("hoes", "all your ho's"),
        ("foid", "F.1.D.D.L.E"),
        ("cat", "the dog (and the car) at home"),
        ("at", "she got an A+"),
        ("hello", "call main() {} or lo[]"),
        ("强奸", "增强女干部的队伍"),
        ("颜射", "言身寸是谢"),
        ("贱逼", "印度人牛逼"),
        ("草你妈", "草、尼、玛三个字"),
        ("硬了", "他们赢了"),
        ("死同性恋", "他是同性恋"),
        ("盒他", "呵呵 他来了"),
        ("日你", "《独立日》里的演员"),
        ("操你", "真操（你懂的）"),
        ("人妖滚", "黑人**（问号）"),
        ("pthc", "c http://example.org"),
        ("傻b", "Shab is a night"),
        ("微信", "a1b2c3d4e5f6a7b8c9d0"),
        ("垃圾", "🌶 and 🐔 apart"),
    ],
)
def test_what_stays_itself(term: str, text: str) -> None:
    resist = tuple(name for name in NAMES if not (name == "reversed" and text.startswith("tihs")))
    assert spans(engine(term, resist=resist), text) == []


@pytest.mark.parametrize("text", ["加微信", "加 微 信", "薇信", "微信"])
def test_what_is_not_resisted_is_not_seen(text: str) -> None:
    found = spans(engine("微信", resist=()), text)
    assert [span.text for span in found] == (["微信"] if "微信" in text else [])


def test_a_plain_hit_names_no_trick() -> None:
    assert [(span.text, span.via) for span in spans(engine("傻逼", "fuck"), "傻逼 fuck")] == [
        ("傻逼", ()),
        ("fuck", ()),
    ]


@pytest.mark.parametrize("term", ["加", "vx", "啪啪", "aa"])
def test_short_terms_are_found_as_they_are_written(term: str) -> None:
    found = engine(term)
    assert [span.text for span in spans(found, f"x {term} y")] == [term]
    assert spans(found, " ".join(term)) == [] or len(term) == 1
