"""The manual of the study file shows what is so."""

import re
from pathlib import Path

import pytest
import yaml

from hlm.errors import InputError
from hlm.study import Study
from hlm.study.schema import StudyFile

CONFIG = Path(__file__).parents[2] / "config"
MANUAL = (CONFIG / "README.md").read_text(encoding="utf-8")
FOUNDING = yaml.safe_load((CONFIG / "ogorek2012.yaml").read_text(encoding="utf-8"))
EXAMPLES = re.findall(r"```yaml\n(.*?)```", MANUAL, flags=re.DOTALL)

MISTAKEN = """\
name: demo
seed: 1
replicates: 100
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1.0, a: -0.15, x: 3.0, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.2, x: 0.5}, cor: 0.9}}
  residual: {sd: 0.75}
design:
  units: 30
  rows: 10
  covariates:
    a: {level: unit}
    x: {level: row}
grid:
  design.units: [10, 30]
  design.rows: [5, 10]
models:
  full: y ~ x * a + (1 + x | unit)
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_part_of_a_study(example):
    tree = FOUNDING | {"grid": {}} | yaml.safe_load(example)
    assert Study.from_text(yaml.safe_dump(tree)).scenarios


def test_the_columns_of_the_grid_are_named_as_the_manual_says():
    grid = next(yaml.safe_load(example) for example in EXAMPLES if example.startswith("grid:"))
    found = Study.from_text(yaml.safe_dump(FOUNDING | grid, sort_keys=False))
    names = ", ".join(f"`{name}`" for name in found.levels[0])
    assert f"here {names}." in MANUAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: demo", "nmae: demo"),
        ('"x:a"', '"a:x"'),
        ("cor: 0.9", "cor: 1.2"),
        ("design.units:", "design.unit:"),
        ("full: y ~ x * a", "full: y ~ x * * a"),
        ("rows: [5, 10]", "rows: [2, 10]"),
    ],
)
def test_the_messages_are_those_of_the_manual(old, new):
    with pytest.raises(InputError) as caught:
        Study.from_text(MISTAKEN.replace(old, new), file="study.yaml")
    shown = "\n".join(f"    {line}" for line in str(caught.value).splitlines())
    assert f"\n{shown}\n" in MANUAL


def test_every_key_is_in_the_manual():
    for name, field in StudyFile.model_fields.items():
        assert f"| `{name}" in MANUAL
        inner = getattr(field.annotation, "model_fields", {})
        for key in inner:
            assert f"| `{name}.{key}" in MANUAL, f"{name}.{key}"
