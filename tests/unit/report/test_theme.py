import itertools
import math

import pytest

from tsq.report.theme import THEMES

CARDS = {"light": "#ffffff", "dark": "#151c24"}
# what a deuteranope and a protanope see of linear RGB (Viénot, Brettel & Mollon 1999, simplified)
BLIND = {
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
}

RGB = tuple[float, float, float]


def linear(colour: str) -> RGB:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return r, g, b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (one, other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: RGB) -> RGB:
    r, g, b = rgb
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour: str, kind: str) -> RGB:
    rgb = linear(colour)
    r, g, b = (max(0.0, sum(w * v for w, v in zip(row, rgb, strict=True))) for row in BLIND[kind])
    return lab((r, g, b))


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_its_ground(name: str) -> None:
    config = THEMES[name]
    assert contrast(config["text"]["color"], CARDS[name]) > 7
    assert contrast(config["axis"]["labelColor"], CARDS[name]) > 4.5
    for ground in [*config["range"]["diverging"], *config["range"]["heatmap"]]:
        assert contrast(config["text"]["color"], ground) > 4.5


@pytest.mark.parametrize("name", THEMES)
def test_the_first_colours_stand_out_from_the_card(name: str) -> None:
    category = THEMES[name]["range"]["category"]
    assert all(contrast(colour, CARDS[name]) > 2.5 for colour in category)
    assert contrast(category[0], CARDS[name]) > 4.5


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("name", THEMES)
def test_the_first_four_colours_are_told_apart_without_red_or_green(name: str, kind: str) -> None:
    colours = [seen(colour, kind) for colour in THEMES[name]["range"]["category"][:4]]
    assert min(math.dist(a, b) for a, b in itertools.combinations(colours, 2)) > 15
