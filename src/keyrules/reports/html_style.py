"""The style sheet of the HTML report: one palette for light and dark screens and for paper, no fonts from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIGHT: Final = {
    "page": "#f6f7f9",
    "card": "#ffffff",
    "ink": "#18222d",
    "soft": "#4b5866",
    "line": "#d3dae1",
    "accent": "#0a5670",
    "bar": "#2f7f9b",
    "good": "#14603a",
    "good-bg": "#e2f3e8",
    "bad": "#9a1b1f",
    "bad-bg": "#fde9e8",
    "part": "#754700",
    "part-bg": "#fdf0d3",
    "none": "#46525e",
    "none-bg": "#e9edf1",
}
DARK: Final = {
    "page": "#12181f",
    "card": "#1a222b",
    "ink": "#e8edf2",
    "soft": "#aab6c2",
    "line": "#33404d",
    "accent": "#7cc7e0",
    "bar": "#4d9fbb",
    "good": "#8fdcb0",
    "good-bg": "#123524",
    "bad": "#ffb3ae",
    "bad-bg": "#48191b",
    "part": "#f4cd82",
    "part-bg": "#40300f",
    "none": "#c0cad4",
    "none-bg": "#2b3641",
}
"""Colours by name; `x` is text on `x-bg`, and every text colour is also used on `card` and `page`."""


def style_sheet() -> str:
    """The whole sheet, without any reference to another file."""
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}\n"
        f"{_RULES}@media screen and (max-width:44rem){{\n{stacked('.stack')}{_NARROW}{_MATRIX}}}\n"
        f"@media print{{:root{{color-scheme:light;{_variables(LIGHT)}}}{_PRINT}{_MATRIX}}}\n"
    )


def stacked(tables: str) -> str:
    """The rules that show the rows of some tables as blocks, each cell under the name of its column."""
    return (
        f"{tables} thead{{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}\n"
        f"{tables},{tables} :is(tbody,tr,th,td,caption){{display:block}}\n"
        f"{tables} colgroup{{display:none}}\n"
        f"{tables} tr{{border-top:1px solid var(--line);padding:.8rem 0}}\n"
        f"{tables} tbody tr:first-child{{border-top:2px solid var(--line)}}\n"
        f"{tables} :is(th,td){{border:0;padding:.12rem 0;min-width:0}}\n"
        f"{tables} td[data-label]::before{{content:attr(data-label);display:block;color:var(--soft);font-size:.8rem;"
        "font-weight:600;margin-top:.35rem}\n"
    )


def _variables(palette: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in palette.items())


_RULES: Final = """\
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",
"DejaVu Sans",Arial,sans-serif;overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:1rem;top:-6rem;background:var(--card);padding:.6rem 1rem;z-index:2}
.skip:focus{top:1rem}
header,nav,main,footer{max-width:72rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
.brand{margin:0;font-weight:700;letter-spacing:.06em;color:var(--accent)}
h1{font-size:clamp(1.5rem,1.1rem + 2vw,2.25rem);line-height:1.2;margin:.35rem 0 .5rem;letter-spacing:-.01em}
h2{font-size:1.3rem;line-height:1.3;margin:0 0 .75rem}
h3{font-size:1rem;line-height:1.4;margin:1.75rem 0 .5rem}
p{margin:.5rem 0}
.lead{color:var(--soft);margin:0}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:1.25rem 0 0}
nav a{display:inline-block;padding:.25rem 0}
main{padding-bottom:1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.5rem;margin:1.5rem 0}
.call{border-left:5px solid var(--bad);background:var(--bad-bg);color:var(--bad);padding:.75rem 1rem;
border-radius:0 8px 8px 0;margin:0 0 1.25rem;font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.25rem,1fr));gap:.75rem;list-style:none;padding:0;
margin:0 0 1.5rem}
.tiles li{border-radius:8px;padding:.75rem 1rem}
.tiles b{display:block;font-size:1.9rem;line-height:1.15;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.25rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;font-variant-numeric:tabular-nums}
.good{color:var(--good);background:var(--good-bg)}
.bad{color:var(--bad);background:var(--bad-bg)}
.part{color:var(--part);background:var(--part-bg)}
.none{color:var(--none);background:var(--none-bg)}
.badge{display:inline-block;border-radius:5px;padding:.08rem .5rem;font-weight:650;font-size:.86rem;
border:1px solid currentColor}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.94rem;overflow-wrap:break-word}
.shared{table-layout:fixed;overflow-wrap:anywhere}
caption{text-align:left;font-weight:650;padding:0 0 .6rem}
caption .badge{margin-right:.35rem}
caption .lead{display:block;font-weight:400}
th,td{text-align:left;vertical-align:top;padding:.55rem .9rem .55rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;border-bottom:2px solid var(--line);color:var(--soft);font-weight:600;font-size:.84rem}
tbody th{font-weight:600}
tbody tr:first-child>*{border-top:0}
table+table,.scroll+.scroll{margin-top:2rem}
small{display:block;font-weight:400;color:var(--soft);font-size:.86rem}
code,.hash{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
.w{display:inline-block;max-width:100%}
.num{text-align:right;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.5rem 2.5rem}
figure{margin:0}
figcaption{font-weight:650;margin-bottom:.6rem}
figcaption small{font-weight:400}
svg{display:block;width:100%;height:auto;max-width:36rem}
svg text{fill:var(--ink);font-size:12px;font-family:inherit;font-variant-numeric:tabular-nums}
svg .soft{fill:var(--soft)}
svg .axis{stroke:var(--line)}
svg .bar{fill:var(--bar)}
svg .over{fill:var(--bad)}
svg .limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3}
svg .strong{font-weight:650}
svg .cell-good{fill:var(--good-bg)} svg .cell-bad{fill:var(--bad-bg)}
svg .cell-part{fill:var(--part-bg)} svg .cell-none{fill:var(--none-bg)}
svg .on-good{fill:var(--good)} svg .on-bad{fill:var(--bad)} svg .on-part{fill:var(--part)}
svg .on-none{fill:var(--none)}
.choice{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .5rem}
.choice label{margin-right:.75rem}
.chosen{flex-basis:100%;min-width:0;margin-top:.75rem}
#show-medium:checked~.chosen .is-low,
#show-high:checked~.chosen :is(.is-low,.is-medium),
#show-critical:checked~.chosen :is(.is-low,.is-medium,.is-high){display:none}
details{margin-top:.75rem}
summary{cursor:pointer;color:var(--accent)}
details table{margin-top:.5rem;width:auto;font-size:.86rem}
footer{color:var(--soft);font-size:.9rem;padding-bottom:3rem}
"""

_MATRIX: Final = """\
.matrix thead{display:none}
.matrix :is(table,tbody,tr,th,caption){display:block}
.matrix .stack td{display:inline-block;padding:.15rem 1rem .15rem 0;border:0}
.matrix .stack td:empty{display:none}
.matrix .stack td[data-label]::before{content:attr(data-label) " ";display:inline}
"""

_NARROW: Final = """\
header,nav,main,footer{padding-left:1rem;padding-right:1rem}
header{padding-top:1.5rem}
section{padding:1.1rem}
.tiles{grid-template-columns:1fr 1fr}
.tiles li:last-child:nth-child(odd){grid-column:1/-1}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.5rem}
svg text{font-size:15px}
svg .strong{font-size:13.5px}
"""

_PRINT: Final = """\
@page{margin:16mm 14mm}
html{font-size:9.5pt}
body{font-size:1rem;background:#fff}
.skip,nav,figure summary,.choice>:is(input,label,span){display:none}
details::details-content{content-visibility:visible;display:block}
header,main,footer{max-width:none;padding:0}
section{border:0;padding:0;margin:7mm 0}
h2{border-bottom:1px solid var(--line);padding-bottom:1mm}
h2,h3,caption,figcaption{break-after:avoid}
tr,figure,.tiles,.call{break-inside:avoid}
thead{display:table-header-group}
.scroll{overflow:visible}
figure details{columns:9.5rem}
a{color:inherit;text-decoration:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
"""
