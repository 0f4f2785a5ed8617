"""A fit is what it was: whatever is asked of it, and whatever becomes of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hlm import anova, lmer

from .frames import made

FORMULA = "y ~ x * a + (1 + x | unit)"

QUESTIONS = {
    "contest": lambda fit: fit.contest([[0, 1, 0, 0], [0, 0, 1, 1]]),
    "contest by kenward-roger": lambda fit: fit.contest(["a", "x:a"], "kenward-roger"),
    "contest by expected": lambda fit: fit.contest(["x"], "satterthwaite-expected"),
    "df": lambda fit: fit.df("kenward-roger").tolist(),
    "tidy": lambda fit: fit.tidy("kenward-roger").to_csv(),
    "wald": lambda fit: fit.confint().to_csv(),
    "profile": lambda fit: fit.confint("profile").to_csv(),
    "boot": lambda fit: fit.confint("boot", n=20, rng=1).to_csv(),
    "vcov_random": lambda fit: fit.vcov_random().to_csv(),
    "summary": lambda fit: fit.summary(),
    "anova": lambda fit: str(anova(fit, lmer("y ~ x + a + (1 | unit)", made(), weights="w"))),
    "predict": lambda fit: [values.tolist() for values in fit.predict(made(), se=True)],
}


def fitted():
    return lmer(FORMULA, made(), weights="w")


def test_no_question_changes_the_answer_to_another():
    """Each question asked of a fresh fit, and of one that has been asked all others, twice."""
    fresh = {name: ask(fitted()) for name, ask in QUESTIONS.items()}
    fit = fitted()
    for names in (list(QUESTIONS), list(QUESTIONS)[::-1]):
        for name in names:
            assert QUESTIONS[name](fit) == fresh[name], name
    again = fitted()
    for values in ("beta", "vcov", "theta", "se"):
        assert (getattr(fit, values) == getattr(again, values)).all()
    for mine, theirs in zip(fit.random, again.random, strict=True):
        assert (mine == theirs).all()


def test_no_array_of_a_fit_can_be_written_to():
    fit = fitted()
    arrays = [fit.beta, fit.vcov, fit.theta, *fit.random, *fit.adjusted]
    arrays += [value for value in vars(fit.frame).values() if isinstance(value, np.ndarray)]
    assert len(arrays) > 20
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for mine in (fit.se, fit.df(), fit.df("kenward-roger"), fit.response(), fit.psi):
        mine[...] = 0.0
    assert fit.summary() == fitted().summary()


@pytest.mark.parametrize("as_dict", [True, False])
def test_data_that_change_later_do_not_change_the_fit(as_dict):
    frame = made()[["y", "x", "a", "unit"]].astype(float)
    data = {name: frame[name].to_numpy(copy=True) for name in frame} if as_dict else frame
    weights = made()["w"].to_numpy(copy=True)
    fit = lmer("y ~ x * a + offset(x) + (1 + x | unit)", data, weights=weights)
    before = (fit.summary(), fit.fitted().tolist(), fit.frame.weights.tolist())
    weights[:] = 7.0
    for name in list(data):
        if as_dict:
            data[name][:] = 0.0
        else:
            data.loc[:, name] = 0.0
    assert (fit.summary(), fit.fitted().tolist(), fit.frame.weights.tolist()) == before
    assert fit.contest("x") == lmer(
        "y ~ x * a + offset(x) + (1 + x | unit)", made(), weights="w"
    ).contest("x")


def test_fits_compare_and_hash():
    one, two = fitted(), fitted()
    assert one == one
    assert one != two
    assert len({one, two, one}) == 2
    assert one.frame != two.frame
    assert {one.frame: 1}[one.frame] == 1
    compared = anova(one, lmer("y ~ x + a + (1 | unit)", made(), weights="w"))
    assert compared == compared
    assert isinstance(hash(compared), int)
    assert [one, two].index(two) == 1
    assert pd.Series([one, two]).tolist() == [one, two]
