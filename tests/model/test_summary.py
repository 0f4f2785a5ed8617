"""The text of a summary against what lme4 and lmerTest print (summaries.R)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from hlm import InputError, lmer
from hlm.datasets import load_ogorek2012

from .frames import FRAMES

PRINTED = dict(
    re.findall(
        r"^=== (.*)\n((?:(?!===).*\n)*)",
        Path(__file__).with_name("summaries.txt").read_text(),
        flags=re.MULTILINE,
    )
)
LOADERS = {**FRAMES, "ogorek2012": load_ogorek2012}


@pytest.mark.parametrize("head", PRINTED)
def test_text_is_that_of_lme4(head):
    frame, method, df, formula = head.split(" ", 3)
    fit = lmer(formula, LOADERS[frame](), reml=method == "reml")
    text = fit.summary(None if df == "none" else df)
    start = re.search(r"^(REML criterion| +AIC.*df.resid)", text, flags=re.MULTILINE).start()
    ours, theirs = text[start:].strip().splitlines(), PRINTED[head].strip().splitlines()
    theirs[0] = re.sub(r": (-?\d+)$", r": \1.0", theirs[0])
    assert [_layout(line) for line in ours] == [_layout(line) for line in theirs]
    for one, other in zip(ours, theirs, strict=True):
        _assert_same_numbers(one, other)


def _layout(line):
    return re.sub(r"\d", "0", line)


def _assert_same_numbers(one, other):
    """Equal but for one unit in the last digit, and lmerTest's numerical derivatives in df."""
    for a, b in zip(re.split(r"[ <]+", one), re.split(r"[ <]+", other), strict=True):
        if not re.fullmatch(r"-?[\d.]+(e-\d+)?", b):
            assert a == b
            continue
        unit = 10.0 ** -len(b.partition(".")[2])
        tolerance = 0.02 * float(b) if "e" in b else max(1.01 * unit, 2e-4 * abs(float(b)))
        assert abs(float(a) - float(b)) <= tolerance, (one, other)


def test_methods_of_degrees_of_freedom():
    fit = lmer("y ~ x * a + (1 + x | unit)", load_ogorek2012())
    assert "t-tests use Satterthwaite's method" in fit.summary()
    assert "t-tests use residual degrees of freedom" in fit.summary("residual")
    assert re.search(r"^x +3.06704 +0.09797 +896.00000 ", fit.summary("residual"), re.MULTILINE)
    assert re.search(r"^x +3.06704 +0.09797 +Inf ", fit.summary("infinite"), re.MULTILINE)
    assert fit.df("residual").tolist() == [896.0] * 4
    assert np.isinf(fit.df("infinite")).all()
    with pytest.raises(InputError, match="did you mean 'satterthwaite'"):
        fit.summary("satterthwait")


def test_p_values_of_the_normal_distribution():
    fit = lmer("y ~ x * a + (1 + x | unit)", load_ogorek2012())
    table = fit.tidy("infinite").set_index("term")
    assert table.loc["a", "p_value"] == pytest.approx(0.01953, abs=1e-5)  # 2 pnorm(-2.33528)
    assert table.loc["a", "upper"] - fit.beta[2] == pytest.approx(1.959964 * fit.se[2], rel=1e-6)


def test_remarks():
    holes = FRAMES["holes"]()
    text = lmer("y ~ x + I(2 * x) + a + (1 + x | unit)", holes).summary()
    assert "rank deficient, so dropped: I(2 * x)\n" in text
    assert "20 rows with missing values left out\n" in text
    assert (
        "1 row with a missing value left out\n"
        in lmer("c1 ~ z + (1 | unit)", holes.assign(z=holes["z"].where(holes.index > 0))).summary()
    )
    text = lmer("z ~ x + (1 + x | unit)", holes).summary()
    assert "boundary (singular) fit" in text
