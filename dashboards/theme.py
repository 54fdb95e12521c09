"""One neutral theme, on CSS variables that an organisation can replace; the same values feed plotly and the static SVG.

Series colours keep a contrast of at least 3:1 with the ground (WCAG 2.2, 1.4.11) and stay apart for people with
protanopia, deuteranopia and tritanopia (a test simulates that after Machado, Oliveira and Fernandes 2009). Colour is
never the only sign: series differ in symbol and dash too.
"""

from __future__ import annotations

from typing import Any

TOKENS: dict[str, str] = {
    "--ink": "#1b1f24",
    "--ink-soft": "#4a525c",
    "--ground": "#ffffff",
    "--ground-soft": "#f3f5f7",
    "--rule": "#c9d0d8",
    "--reference": "#6b7480",
    "--series-1": "#0062a3",
    "--series-2": "#c24e00",
    "--series-3": "#00805c",
    "--series-4": "#2a1433",
    "--series-5": "#5c6670",
    "--series-6": "#8c6d00",
}
PRINT_TOKENS: dict[str, str] = {"--ink": "#000000", "--ink-soft": "#333333", "--ground-soft": "#ffffff"}
"""What changes on paper: black ink, no tinted grounds."""

SERIES: tuple[str, ...] = tuple(value for name, value in TOKENS.items() if name.startswith("--series"))
SYMBOLS: tuple[str, ...] = ("circle", "square", "diamond", "triangle-up", "x", "cross")
DASHES: tuple[str, ...] = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def colour(index: int) -> str:
    """The colour of series `index`, counted from zero; after the last the palette starts anew.

    >>> colour(0) == colour(len(SERIES))
    True
    """
    return SERIES[index % len(SERIES)]


def css_variables() -> str:
    """The theme as a style sheet: variables for the screen, the few that differ on paper.

    >>> css_variables().splitlines()[0]
    ':root {'
    """
    lines = [":root {", *(f"  {name}: {value};" for name, value in TOKENS.items()), "}"]
    lines += [
        "@media print {",
        "  :root {",
        *(f"    {name}: {value};" for name, value in PRINT_TOKENS.items()),
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def template() -> dict[str, Any]:
    """The plotly template all figures share, as plain JSON.

    `layout.meta.tokens` maps each colour used to its CSS variable, so that the page's script can put an
    organisation's own values in its place before drawing.
    """
    axis = {
        "gridcolor": TOKENS["--rule"],
        "linecolor": TOKENS["--reference"],
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
        "title": {"font": {"size": 14}},
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 14, "color": TOKENS["--ink"]},
            "paper_bgcolor": TOKENS["--ground"],
            "plot_bgcolor": TOKENS["--ground"],
            "colorway": list(SERIES),
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"font": {"family": FONT, "size": 14}, "align": "left"},
            "legend": {"orientation": "v", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"},
            "margin": {"l": 8, "r": 16, "t": 8, "b": 48},
        }
    }


def token_of() -> dict[str, str]:
    """Colour to CSS variable, for `layout.meta.tokens`."""
    return {value: name for name, value in TOKENS.items()}
