"""The terms of a formula are those that R 4.2.2's terms() finds, and lme4's random parts."""

import pytest

from hlm.formula import parse

# formula, R's attr(terms(formula), "intercept"), its "term.labels"
R_TERMS = [
    ("y ~ x*a", 1, "x ; a ; x:a"),
    ("y ~ a + x:a", 1, "a ; a:x"),
    ("y ~ (a+b+c)^2", 1, "a ; b ; c ; a:b ; a:c ; b:c"),
    ("y ~ (a+b+c)^2 - a:b", 1, "a ; b ; c ; a:c ; b:c"),
    ("y ~ a/b", 1, "a ; a:b"),
    ("y ~ (a+b)/c", 1, "a ; b ; a:b:c"),
    ("y ~ a/(b+c)", 1, "a ; a:b ; a:c"),
    ("y ~ x + 0 + 1", 1, "x"),
    ("y ~ 0 + x", 0, "x"),
    ("y ~ x - 1", 0, "x"),
    ("y ~ -1 + x", 0, "x"),
    ("y ~ x + 1 - 1", 0, "x"),
    ("y ~ x - 0", 1, "x"),
    ("y ~ a*b*c - a:b:c", 1, "a ; b ; c ; a:b ; a:c ; b:c"),
    ("y ~ a:b + a + c", 1, "a ; c ; a:b"),
    ("y ~ x:x", 1, "x"),
    ("y ~ x + x", 1, "x"),
    ("y ~ a*b - a", 1, "b ; a:b"),
    ("y ~ (a+b)*(c+d)", 1, "a ; b ; c ; d ; a:c ; a:d ; b:c ; b:d"),
    ("y ~ a:(b+c)", 1, "a:b ; a:c"),
    ("y ~ (a+b):(c+d)", 1, "a:c ; a:d ; b:c ; b:d"),
    ("y ~ I(x^2) + x", 1, "I(x^2) ; x"),
    ("y ~ I( x ^ 2 )+log( x+1 )*a", 1, "I(x^2) ; log(x + 1) ; a ; log(x + 1):a"),
    ("y ~ I(x**2)", 1, "I(x^2)"),
    ("y ~ I(x/2) + I(x*2) + I(-x) + I((x+1)/a)", 1, "I(x/2) ; I(x * 2) ; I(-x) ; I((x + 1)/a)"),
    (
        "y ~ I(x - 100000)+I(x*0.00001)+I(x*1e-5)+I(x/123456)+I(x+1e15)+I(x*1.50)",
        1,
        "I(x - 1e+05) ; I(x * 1e-05) ; I(x/123456) ; I(x + 1e+15) ; I(x * 1.5)",
    ),
    ("y ~ a + b - (a + b) + x", 1, "x"),
    ("y ~ a + (b + c - 1)", 0, "a ; b ; c"),
    ("y ~ x - (1 + a) + a", 0, "x ; a"),
    ("y ~ a*b + (a - a:b)", 1, "a ; b ; a:b"),
    ("y ~ (a+b+c)^3 - (a+b)^2", 1, "c ; a:c ; b:c ; a:b:c"),
    ("y ~ (a*b)^2", 1, "a ; b ; a:b"),
    ("y ~ a/b/c", 1, "a ; a:b ; a:b:c"),
    ("y ~ a*b/c", 1, "a ; b ; a:b ; a:b:c"),
    ("y ~ a:b*c", 1, "c ; a:b ; a:b:c"),
    ("y ~ `a b` + x", 1, "`a b` ; x"),
    ("y ~ -a + b", 1, "b"),
    ("y ~ a - b + b", 1, "a ; b"),
    ("y ~ sqrt(abs(x)) + log2(x) + expm1(x)", 1, "sqrt(abs(x)) ; log2(x) ; expm1(x)"),
    ("y ~ I(-x^2) + I(2^-x) + I((-x)^2) + I(a*-b)", 1, "I(-x^2) ; I(2^-x) ; I((-x)^2) ; I(a * -b)"),
    ("y ~ (0 + x)*a", 0, "x ; a ; x:a"),
    ("y ~ a + 0 - 0", 1, "a"),
    ("y ~ (x + 1)^2 - 1", 0, "x"),
    ("y ~ x + (a - x)", 1, "x ; a"),
]


@pytest.mark.parametrize(("text", "intercept", "labels"), R_TERMS)
def test_fixed_terms_are_those_of_r(text, intercept, labels):
    terms = [term.name for term in parse(text, random=False).fixed]
    assert terms == ["(Intercept)"] * intercept + labels.split(" ; ")


@pytest.mark.parametrize(
    ("random", "blocks"),
    [
        ("(1 | g)", [["(Intercept)"]]),
        ("(x | g)", [["(Intercept)", "x"]]),
        ("((1 + x | g))", [["(Intercept)", "x"]]),
        ("(0 + x | g)", [["x"]]),
        ("(x - 1 | g)", [["x"]]),
        ("(1 | g) + (0 + x | g)", [["(Intercept)"], ["x"]]),
        ("(1 + x || g)", [["(Intercept)"], ["x"]]),
        ("(0 + x || g)", [["x"]]),
        ("(x * a || g)", [["(Intercept)"], ["x"], ["a"], ["x:a"]]),
        ("(x + I(x^2) | g)", [["(Intercept)", "x", "I(x^2)"]]),
        ("(a + x:a | g)", [["(Intercept)", "a", "a:x"]]),
    ],
)
def test_random_blocks_are_those_of_lme4(random, blocks):
    formula = parse(f"y ~ x * a + {random}")
    assert [[term.name for term in block.terms] for block in formula.random] == blocks
    assert {block.group for block in formula.random} == {"g"}
    assert [term.name for term in formula.fixed] == ["(Intercept)", "x", "a", "x:a"]


def test_a_formula_of_random_terms_only_has_an_intercept():
    assert [term.name for term in parse("y ~ (1 | g)").fixed] == ["(Intercept)"]


def test_offsets_are_kept_apart():
    formula = parse("y ~ x + offset(log(z)) + (1 | g)")
    assert [term.name for term in formula.fixed] == ["(Intercept)", "x"]
    assert [(part.name, part.variables) for part in formula.offset] == [("offset(log(z))", ("z",))]


def test_variables_come_in_order_of_appearance():
    formula = parse("y ~ b * I(x^2 + a) + offset(w) + (1 + z | g)")
    assert formula.variables == ("b", "x", "a", "z", "w")


def test_terms_are_equal_wherever_they_stand():
    assert parse("y ~ x + (x | g)").fixed == parse("y   ~ (x)+(1|g)").fixed


def test_lines_are_joined():
    assert parse("y ~ x\n  + (1 | g)\n").text == "y ~ x + (1 | g)"


def test_a_fixed_model_may_be_asked_for():
    assert parse("y ~ x", random=False).random == ()
