"""The look of charts, light and dark: one pair of Vega configurations that follows the page's own colours.

The series colours follow Okabe and Ito's palette (2008), made for people who see colours differently, darkened or
lightened to stand 3:1 from the card behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _config(
    ink: str, muted: str, grid: str, category: list[str], diverging: list[str], heat: list[str]
) -> dict[str, Any]:
    return {
        "background": None,
        "font": FONT,
        "padding": {"left": 2, "right": 8, "top": 4, "bottom": 2},
        "view": {"stroke": None},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelPadding": 6,
        },
        "legend": {"labelColor": ink, "labelFontSize": 12, "rowPadding": 4, "columnPadding": 18, "offset": 6},
        "text": {"color": ink},
        "rule": {"color": muted},
        "line": {"strokeWidth": 1.8},
        "range": {"category": category, "diverging": diverging, "heatmap": heat, "ramp": heat},
    }


THEMES: Mapping[str, Mapping[str, Any]] = {
    "light": _config(
        ink="#17212b",
        muted="#5b6976",
        grid="#e6eaee",
        category=[
            "#0a62a9",
            "#d2691e",
            "#4aa3df",
            "#0f8f6b",
            "#b5518d",
            "#b8860b",
            "#6b7785",
            "#7a4a2b",
            "#8f7fc4",
            "#3b4a57",
        ],
        diverging=["#e2894a", "#f1c19d", "#f4f5f6", "#a9cdec", "#5a9bd3"],
        heat=["#f4f6f8", "#bcd8ee", "#6fadda"],
    ),
    "dark": _config(
        ink="#e7edf3",
        muted="#97a5b3",
        grid="#26313d",
        category=[
            "#5fb0f2",
            "#f29a52",
            "#a7d8f7",
            "#3fcf9f",
            "#e08cc0",
            "#e6c34a",
            "#a9b5c1",
            "#c99572",
            "#b6a8ea",
            "#d5dde5",
        ],
        diverging=["#a8541d", "#64391f", "#1e2732", "#1f4a6e", "#2069a3"],
        heat=["#1c2530", "#1f4a6e", "#2069a3"],
    ),
}
