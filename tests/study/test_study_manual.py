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
GRID = FOUNDING["grid"]
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
def test_every_example_is_a_part_of_a_study(example, tmp_path):
    """With the files in Python that the manual shows beside it."""
    for code in re.findall(r"```python\n(# (\S+)\n.*?)```", MANUAL, flags=re.DOTALL):
        (tmp_path / code[1]).write_text(code[0], encoding="utf-8")
    part = yaml.safe_load(example)
    grid = {} if "grid" in part or not {"figures", "tables"} & {*part} else {"grid": GRID}
    tree, file = FOUNDING | {"grid": {}} | grid | part, tmp_path / "study.yaml"
    assert Study.from_text(yaml.safe_dump(tree), file=file, allow_code=True).scenarios


def test_the_columns_of_the_grid_are_named_as_the_manual_says():
    grid = next(yaml.safe_load(one) for one in EXAMPLES if one.startswith("grid:\n  design.units"))
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


def keys_of(schema, definitions, path=""):
    """Yield (path, its default, 'required' where there is none) of every key of a schema.

    What a list holds has the path of the list.
    """
    schema = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for option in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from keys_of(option, definitions, path)
    if isinstance(items := schema.get("items"), dict):
        yield from keys_of(items, definitions, path)
    if isinstance(values := schema.get("additionalProperties"), dict):
        yield from keys_of(values, definitions, f"{path}*.")
    for name, inner in schema.get("properties", {}).items():
        yield path + name, inner.get("default", "required")
        yield from keys_of(inner, definitions, f"{path}{name}.")


def rows_of(heading):
    """Return the first table under a heading of the manual, each row as its cells."""
    section = MANUAL.partition(f"# {heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def path_in(cell):
    return re.sub("NAME|GROUP", "*", cell.split("`")[1]).replace("[]", "")


def test_the_manual_has_every_key_and_no_other():
    """A mapping's own keys may be in the row of the mapping, as `{list: [...]}`."""
    schema = StudyFile.model_json_schema()
    keys = dict(keys_of(schema, schema["$defs"]))
    documented = set()
    for first, *cells in rows_of("All keys"):
        path = path_in(first)
        documented.add(path.removesuffix(".*"))
        documented |= {path.rpartition(".")[0] + more for more in re.findall(r"`(\.\w+)`", first)}
        inner = re.findall(r"`\{(.*?)\}`", " ".join(cells))
        documented |= {f"{path}.{key}" for text in inner for key in re.findall(r"(\w+): ", text)}
    for first, *_ in rows_of("Covariates"):
        documented |= {f"design.covariates.*.{key}" for key in re.findall(r"`(.*?)`", first)}
    inside = {key.rpartition(".")[0].removesuffix(".*") for key in keys}
    assert set(keys) - inside <= documented
    assert documented <= set(keys)


def test_the_manual_has_the_defaults():
    schema = StudyFile.model_json_schema()
    defaults = dict(keys_of(schema, schema["$defs"]))
    words = {
        "none": ({}, [], None),
        "all": ({}, []),
        "all points": (None,),
        "all that suit": (None,),
        "usual": (None,),
        "no points": (None,),
        "no effect sizes": (None,),
        "no missing rows": ({"rows": 0.0, "units": 0.0, "logistic": None, "dropout": None},),
        "those of `estimation`": (None,),
        "199 with a bootstrap": (None,),
        "required, one or more": ("required",),
    }
    for first, _, default, _ in rows_of("All keys"):
        path = path_in(first).removesuffix(".*")
        allowed = words.get(default) or (yaml.safe_load(default.strip("`")),)
        assert defaults[path] in allowed, path
