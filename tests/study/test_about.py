"""Mistakes in the words about a study."""

from __future__ import annotations

import pytest

from hlm.errors import InputError
from hlm.study import Study
from hlm.study.schema_about import About

from .test_mistakes import BASE


def refused(about):
    with pytest.raises(InputError) as caught:
        Study.from_text(f"{BASE}\nabout: {about}\n", file="demo.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("about", "problem", "meant"),
    [
        ("{tittle: T}", "about.tittle: unknown key 'tittle'", "title"),
        ("{doi: x}", "about.doi: unknown key 'doi'", "archive"),
        ("{author: [A]}", "about.author: unknown key 'author'", "authors"),
        ("{limitations: x}", "unknown key 'limitations'", "limits"),
        ("{primary: [xa]}", "about.primary[0]: no model has a term 'xa'", "x:a"),
    ],
)
def test_the_right_key_or_name_is_said(about, problem, meant):
    message = refused(about)
    assert problem in message
    assert f"did you mean '{meant}'?" in message


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ("{title: ''}", "about.title: an empty text"),
        ("{title: 3}", "about.title: 3 is not allowed"),
        ("{authors: A}", "about.authors: 'A' is not allowed"),
        ("{task: [guessing]}", "about.task[0]: 'guessing' is not allowed"),
        ("[a]", "about: "),
    ],
)
def test_what_is_wrong_is_said(about, problem):
    assert problem in refused(about)


def test_all_mistakes_at_once_in_the_order_of_lines():
    message = refused("\n  titel: T\n  task: [guess]")
    assert message.index("about.titel") < message.index("about.task[0]")


def test_synonyms_are_of_keys_that_there_are():
    assert {*About.synonyms.values()} <= {*About.known_keys()}
    assert not {*About.synonyms} & {*About.known_keys()}
