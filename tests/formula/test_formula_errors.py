"""What cannot be read is refused with the place marked; nothing hangs, nothing else is raised."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hlm.errors import InputError
from hlm.formula import Formula, parse

# formula, the text from the caret on, words of the message
REFUSED = [
    ("y ~ x + * a + (1 | g)", "* a", "unexpected '*'"),
    ("y ~ x + (1 + x | g", "", "it ends here"),
    ("y ~ x)", ")", "unexpected ')'"),
    ("y ~ x $ a", "$ a", "unexpected '$'"),
    ("y ~ x ~ a", "~ a", "unexpected '~'"),
    ("y ~ x a", "a", "unexpected 'a'"),
    ("y ~", "", "it ends here"),
    ("y x", "x", "unexpected 'x'"),
    ("y", "", "no '~'"),
    ("~ x + (1 | g)", "~ x", "no response"),
    ("y ~ x + (1 | )", ")", "unexpected ')'"),
    ("y ~ log(x,) + (1 | g)", ") +", "unexpected ')'"),
    ("y ~ 'x' + (1 | g)", "'x'", "unexpected"),
    ("y ~ x == 1", "== 1", "unexpected '='"),
    ("factor(y) ~ x + (1 | g)", "factor(y)", "must be numbers, not factor()"),
    ("lag(y) ~ x + (1 | g)", "lag(y)", "unknown function 'lag'"),
    ("y:z ~ x + (1 | g)", ":z", "':' within a function"),
    ("1 ~ x + (1 | g)", "1 ~", "the response '1' has no column"),
    ("log(y) ~ x + y + (1 | g)", "~ x", "response 'y' is also"),
    ("y ~ . + (1 | g)", ". +", "'.' is not supported"),
    ("y ~ x", "", "no random term"),
    ("y ~ 1 | g", "| g", "in parentheses of its own"),
    ("y ~ x * (1 | g)", "| g", "in parentheses of its own"),
    ("y ~ x - (1 | g)", "| g", "in parentheses of its own"),
    ("y ~ (1 | g / h)", "/ h", "nested grouping factors 'g/h'"),
    ("y ~ (1 | g:h)", ":h", "crossed grouping factors 'g:h'"),
    ("y ~ (1 | g + h)", "+ h", "several grouping factors 'g + h'"),
    ("y ~ (1 | factor(g))", "factor(g)", "cannot be grouped by factor(g)"),
    ("y ~ (1 | 1)", "1)", "cannot be grouped by 1"),
    ("y ~ (1 | g) + (1 | h)", "h)", "grouping factors 'g' and 'h'"),
    ("y ~ (0 | g)", "| g", "no random effect before the bar"),
    ("y ~ (g | g)", "| g", "both sides of the bar"),
    ("y ~ (1 | g) + (x | g)", "| g)", "'(Intercept)' is there twice"),
    ("y ~ x + y + (1 | g)", "~ x", "response 'y' is also"),
    ("y ~ x + (1 | y)", "~ x", "response 'y' is also"),
    ("y ~ I(y^2) + (1 | g)", "~ I", "response 'y' is also"),
    ("y ~ 0 + (1 | g)", "~ 0", "the fixed part has no terms"),
    ("y ~ x %in% a + (1 | g)", "%in% a", "'%in%' is not supported"),
    ("y ~ 2 + x + (1 | g)", "2 + x", "a number that is no intercept: 2"),
    ("y ~ 2 * x + (1 | g)", "2 * x", "'*' with a number"),
    ("y ~ x / 2 + (1 | g)", "2 +", "'/' with a number"),
    ("y ~ x^2.5 + (1 | g)", "2.5", "the power '2.5'"),
    ("y ~ (a + b)^k + (1 | g)", "k +", "the power 'k'"),
    ("y ~ x^0 + (1 | g)", "0 +", "the power '0'"),
    ("y ~ lag(x) + (1 | g)", "lag(x)", "unknown function 'lag'"),
    ("y ~ __import__('os') + (1 | g)", "__import__", "unexpected '_'"),
    ("y ~ log(x, 2) + (1 | g)", "log(x", "takes one argument"),
    ("y ~ I(x:a) + (1 | g)", ":a", "':' within a function"),
    ("y ~ I(x | a) + (1 | g)", "| a", "'|' within a function"),
    ("y ~ I(factor(x)) + (1 | g)", "factor(x)", "within another function"),
    ("y ~ factor(x + 1) + (1 | g)", "factor(x", "the name of one column"),
    ("y ~ x:offset(z) + (1 | g)", "offset(z)", "must be added on its own"),
    ("y ~ x - offset(z) + (1 | g)", "offset(z)", "must be added on its own"),
    ("y ~ I(2) + (1 | g)", "I(2)", "'I(2)' has no variable"),
    ("y ~ I(x * 1e999) + (1 | g)", "1e999", "too large"),
    ("y ~ " + "(" * 3000 + "x", "(" * 30, "nested too deeply"),
    ("y ~ " + "-" * 3000 + "x", "-" * 30, "nested too deeply"),
    ("y ~ x" + "^2" * 3000, None, "nested too deeply"),
    ("y ~ x" + ":x" * 3000 + " + (1 | g)", None, "nested too deeply"),
    ("y ~ " + " + ".join(f"v{i}" for i in range(600)), "v500 + v501", "too many terms"),
    ("y ~ (" + " + ".join(f"v{i}" for i in range(20)) + ")^9 + (1 | g)", "^9", "too many terms"),
    ("y ~ " + "*".join(f"v{i}" for i in range(12)) + " + (1 | g)", "*v8*v9", "too many terms"),
]


@pytest.mark.parametrize(("text", "rest", "fragment"), REFUSED)
def test_the_place_is_marked(text, rest, fragment):
    with pytest.raises(InputError) as caught:
        parse(text)
    problem, line, caret = str(caught.value).splitlines()[:3]
    assert fragment in problem
    assert caret.strip() == "^"
    if rest is not None:
        assert line[caret.index("^") :].startswith(rest)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "empty"),
        (" \n", "empty"),
        (None, "must be text"),
        (3, "must be text"),
        ("y ~ " + "x + " * 5000 + "(1 | g)", "20011 characters"),
    ],
)
def test_what_is_no_formula_at_all_is_refused(text, fragment):
    with pytest.raises(InputError, match=fragment):
        parse(text)


def test_what_is_supported_is_said():
    with pytest.raises(InputError) as caught:
        parse("y ~ x + (1 | school / class)")
    assert "crossed and nested factors are not supported" in str(caught.value.allowed)


def test_an_unknown_function_brings_the_nearest():
    with pytest.raises(InputError) as caught:
        parse("y ~ squrt(x) + (1 | g)")
    assert caught.value.suggestion == "sqrt"
    assert "log1p" in str(caught.value.allowed)


def test_control_characters_do_not_reach_the_terminal():
    with pytest.raises(InputError) as caught:
        parse("y ~ x \x1b[31m")
    assert "\x1b" not in str(caught.value)


def test_a_long_chain_of_one_term_is_short_work():
    assert len(parse("y ~ " + "x + " * 2000 + "(1 | g)").fixed) == 2


PIECES = st.sampled_from(
    [
        *("y", "x", "a", "g", "`a b`", "1", "0", "2.5", "1e3", "~", " ~ ", "+", "-", "*", "/", ":"),
        *("^", "**", "|", "||", "%in%", "(", ")", ",", "I(", "log(", "factor(", "offset(", " "),
        *(".", "$", "y ~ ", "(1 | g)", "(1 + x || g)", "é", "\n", "_", "'"),
    ]
)


@settings(max_examples=600, derandomize=True, deadline=None, database=None)
@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=40)))
@example("y ~ `")
@example("y ~ ((((((x+a)^9)^9)^9)^9)^9)^9 + (1|g)")
def test_any_text_is_a_formula_or_an_input_error(text):
    with suppress(InputError):
        assert isinstance(parse(text), Formula)


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_what_is_read_is_read_again_from_its_own_names(text):
    try:
        formula = parse(f"y ~ {text} + (1 | g)")
    except InputError:
        return
    names = [term.name for term in formula.fixed if term.factors]
    start = "1" if formula.fixed[0].factors == () else "0"
    again = parse(f"y ~ {' + '.join([start, *names])} + (1 | g)")
    assert [term.name for term in again.fixed] == [term.name for term in formula.fixed]
