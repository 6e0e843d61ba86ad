"""Labelled posts of our own: two kinds that a linear model can tell apart, in English and Chinese."""

from __future__ import annotations

import random

SELLING = (
    "free prize call {} now",
    "win cash {} click here",
    "加我微信 {} 稳赚不赔",
    "日入过千 {} 名额有限",
    "cheap loans {} apply",
)
TALKING = (
    "see you at {} tonight",
    "the train to {} was late",
    "今天和朋友去了{}吃饭",
    "这本书{}写得不错",
    "happy birthday {}",
)
NAMES = ("Anna", "Berlin", "李雷", "上海", "Tom", "Oslo", "小明", "杭州", "Kim", "Rome", "阿花", "成都")


def labelled_posts(number: int = 240, seed: int = 0) -> list[tuple[str, str]]:
    """Texts with their labels, spam or ham, half of each, no two alike."""
    draw = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < number:
        label = "spam" if len(made) % 2 else "ham"
        pattern = draw.choice(SELLING if label == "spam" else TALKING)
        made[pattern.format(f"{draw.choice(NAMES)} {draw.randrange(1000)}")] = label
    return list(made.items())
