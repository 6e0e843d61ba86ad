"""Self-contained HTML pages: no script, no network; whatever comes from a feed is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moderation.authoring.figures import percent

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5c6878;--line:#d9dfe7;--back:#fff;--bar:#2f6fde;--warn:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b8;--line:#333d4a;--back:#12161c;--bar:#6ea0ff;--warn:#ff9a62}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--back);
margin:0 auto;padding:1rem;max-width:60rem}
h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.soft{color:var(--soft)}.warn{color:var(--warn)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:.85rem}td.n,th.n{text-align:right;white-space:nowrap}
.bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:.25rem .6rem;align-items:center}
.bars i{display:block;height:.9rem;background:var(--bar);border-radius:2px;min-width:1px}
.bars span.n{text-align:right;font-variant-numeric:tabular-nums}
.plot{position:relative;padding-left:2.6rem}.plot svg{width:100%;height:14rem;display:block}
.plot .y{position:absolute;left:0;width:2.3rem;text-align:right;transform:translateY(-50%)}
.plot .x{position:relative;height:1.2rem}.plot .x span{position:absolute}
.plot span{color:var(--soft);font-size:.75rem;white-space:nowrap}
ul{padding-left:1.2rem}li{overflow-wrap:anywhere}.key b{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;
margin:0 .3rem 0 .8rem;vertical-align:-1px}
.scroll tr>:first-child{position:sticky;left:0;background:var(--back)}
@media(max-width:40rem){th,td{font-size:.8rem;padding-right:.35rem}.plot .x span:nth-child(even){display:none}
.below tr{display:grid;grid-template-columns:1.5fr repeat(var(--n),1fr);border-bottom:1px solid var(--line)}
.below th,.below td{border:0}.below :last-child:is(th,td){grid-column:1/-1;overflow-wrap:anywhere}}
"""
_COLOURS = ("#2f6fde", "#e07b00", "#2a9d5c", "#b0439c", "#c93a3a", "#7a6ff0", "#0c9bb0", "#9b7a00", "#8a94a3")
# Labels below a plot, none so far to the right that it would be cut off.
_LABELS, _LAST_LABEL = 6, 0.88
_GAP = 0.1
# Bars of a plot, and the share that is not worth one.
_BARS, _SMALL = 16, 0.001


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: `text` is escaped; numbers stand to the right, `warn` is what to look at."""

    text: str
    number: bool = False
    warn: bool = False


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escaped(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escaped(title)}</h1>\n" + "\n".join(part for part in parts if part) + "\n</body></html>\n"
    )


def escaped(text: str) -> str:
    """A text as it may stand anywhere in a page; lone surrogates, which no page can hold, as U+FFFD."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"), quote=True).replace("\0", "\ufffd")


def heading(text: str) -> str:
    return f"<h2>{escaped(text)}</h2>"


def paragraph(text: str, style: str = "soft") -> str:
    return f'<p class="{style}">{escaped(text)}</p>'


def listed(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escaped(item)}</li>" for item in items) + "</ul>" if items else ""


def table(columns: Sequence[Cell], rows: Sequence[Sequence[Cell]], below: bool = False) -> str:
    """A table that scrolls by itself where the screen is narrow; or its last column stands `below` the others there."""
    head = "".join(f'<th{_kind(cell)} scope="col">{escaped(cell.text)}</th>' for cell in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{_kind(cell)}>{escaped(cell.text)}</td>" for cell in row) + "</tr>" for row in rows
    )
    style = f' class="below" style="--n:{len(columns) - 2}"' if below else ""
    return f'<div class="scroll"><table{style}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(cell: Cell) -> str:
    names = [name for name, given in (("n", cell.number), ("warn", cell.warn)) if given]
    return f' class="{" ".join(names)}"' if names else ""


def bars(shares: Mapping[str, float]) -> str:
    """A bar for each share (of 1), as long as it is of the largest; the small ones are one bar."""
    most = max(shares.values(), default=0) or 1
    small = [name for number, (name, share) in enumerate(shares.items()) if number >= _BARS or share < _SMALL]
    if len(small) > 1:
        rest = {f"{len(small)} others": sum(shares[name] for name in small)}
        shares = {name: share for name, share in shares.items() if name not in small} | rest
    rows = (
        f'<span>{escaped(name)}</span><i style="width:{share / most:.1%}"></i>'
        f'<span class="n">{escaped(percent(share))}</span>'
        for name, share in shares.items()
    )
    return f'<div class="bars">{"".join(rows)}</div>'


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Columns of shares over time, `series` one above the other; `labels` stand below the columns."""
    shapes: list[str] = []
    below = [0.0] * len(labels)
    for number, (name, values) in enumerate(series.items()):
        for column, value in enumerate(values):
            if value:
                title = escaped(f"{labels[column]}: {name} {percent(value)}")
                shapes.append(_shape(column, below[column], value, _COLOURS[number % len(_COLOURS)], title))
                below[column] += value
    ticks = "".join(f'<span class="y" style="top:{14 * (1 - tick):.1f}rem">{tick:.0%}</span>' for tick in (0, 0.5, 1))
    below_them = "".join(
        f'<span style="left:{column / len(labels):.1%}">{escaped(labels[column])}</span>'
        for column in range(0, len(labels), max(1, -(-len(labels) // _LABELS)))
        if column <= len(labels) * _LAST_LABEL or not column
    )
    key = "".join(
        f'<b style="background:{_COLOURS[number % len(_COLOURS)]}"></b>{escaped(name)}'
        for number, name in enumerate(series)
    )
    return (
        f'<div class="plot"><svg viewBox="0 0 {len(labels)} 1" preserveAspectRatio="none" role="img">'
        f'{"".join(shapes)}</svg>{ticks}<div class="x">{below_them}</div></div><p class="key">{key}</p>'
    )


def _shape(column: int, below: float, value: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{column + _GAP / 2}" y="{1 - below - value:.4f}" width="{1 - _GAP}" height="{value:.4f}"'
        f' fill="{colour}"><title>{title}</title></rect>'
    )
