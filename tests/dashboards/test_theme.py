"""The palette can be told apart, by contrast and by people who see colours differently."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dashboards import theme

# Full dichromacy in linear RGB: Machado, Oliveira and Fernandes (IEEE TVCG 2009), severity 1.0.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    levels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(XYZ[1] @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colour", [*theme.SERIES, theme.TOKENS["--reference"]])
def test_marks_stand_out_from_the_ground(colour):
    assert contrast(colour, theme.TOKENS["--ground"]) >= 3


@pytest.mark.parametrize("ground", ["--ground", "--ground-soft"])
@pytest.mark.parametrize("ink", ["--ink", "--ink-soft"])
def test_words_stand_out_from_the_ground(ink, ground):
    assert contrast(theme.TOKENS[ink], theme.TOKENS[ground]) >= 7


@pytest.mark.parametrize("sight", SIGHT)
def test_the_first_series_stay_apart_for_every_kind_of_sight(sight):
    seen = [lab(np.asarray(SIGHT[sight]) @ linear(colour)) for colour in theme.SERIES[:4]]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    assert nearest > 12


def test_colour_is_never_the_only_sign():
    assert len(set(theme.SYMBOLS)) == len(set(theme.DASHES)) == len(theme.SERIES)


def test_every_colour_of_a_drawing_can_be_replaced_by_its_variable():
    sheet = theme.css_variables()
    assert all(f"{variable}: {colour};" in sheet for colour, variable in theme.token_of().items())
