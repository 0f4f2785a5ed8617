"""The documentation shows what is so: every example in it is run or checked."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from hlm.cli import main
from hlm.operations.parts import part_file
from hlm.plan import chunks, make_plan
from hlm.results import SUMMARIES
from hlm.stages.compact import compact
from hlm.stages.fit import simulate_and_fit
from hlm.stages.summarize import join_chunks, summarize_chunk
from hlm.study import Study

ROOT = Path(__file__).parents[1]
FOUNDING = (ROOT / "config" / "ogorek2012.yaml").read_text(encoding="utf-8")
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NAMES = {page: str(page.relative_to(DOCS if DOCS in page.parents else ROOT)) for page in PAGES}
TEXTS = {NAMES[page]: page.read_text(encoding="utf-8") for page in PAGES}
SOURCE_FILES = [*(ROOT / "hlm").rglob("*.py"), ROOT / "Snakefile", ROOT / "Makefile"]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE_FILES)
IMAGES = DOCS / "images"
RUN = ("check", "fit", "measures", "power", "preview", "replay", "solve")


def blocks(language):
    """Return (page, code) of each fenced block in a language."""
    pattern = re.compile(rf"```{language}\n(.*?)```", flags=re.DOTALL)
    return [(name, code) for name, text in TEXTS.items() for code in pattern.findall(text)]


def commands():
    """Return (command line, what the page shows of its output)."""
    prompts = [re.split(r"^\$ ", code, flags=re.MULTILINE)[1:] for _, code in blocks("console")]
    return [part.partition("\n")[::2] for parts in prompts for part in parts]


def indented_commands():
    lines = [line.strip() for text in TEXTS.values() for line in text.splitlines()]
    return [line for line in lines if re.match(r"(hlm|make) ", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the reader's, with the founding study's results on six data sets each."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "config", folder / "config")
    for page, code in blocks("yaml"):
        if page != "README.md" and "name" in (tree := yaml.safe_load(code)):
            (folder / f"{tree['name']}.yaml").write_text(code, encoding="utf-8")
    assert main(["new", "trial", str(folder / "trial.yaml")]) == 0
    results = folder / "results" / "ogorek2012"
    parts = results / "parts"
    parts.mkdir(parents=True)
    plan = make_plan(Study.from_text(FOUNDING.replace("replicates: 2000", "replicates: 6")))
    for batch in plan.batches:
        files = {kind: part_file(parts, batch.name, kind) for kind in plan.kinds}
        receipt = parts / f"{batch.name}.json"
        simulate_and_fit(plan, batch.name, files=files, receipt=receipt)
    compact(plan, parts, {kind: results / f"{kind}.parquet" for kind in plan.kinds})
    tables = {kind: results / f"{kind}.parquet" for kind in SUMMARIES}
    pieces = {kind: [] for kind in tables}
    for chunk in range(len(chunks(plan))):
        files = {kind: parts / f"{chunk}.{kind}.parquet" for kind in tables}
        summarize_chunk(plan, chunk, parts, files)
        for kind, file in files.items():
            pieces[kind].append(file)
    for kind, path in tables.items():
        join_chunks(plan, pieces[kind], path, kind)
    draws = np.random.default_rng(1).normal(0.3, 0.1, 20)
    frame = pd.DataFrame({"scenario": [1, 2] * 10, "estimate": draws, "se": 0.1})
    frame.to_csv(folder / "estimates.csv", index=False)
    return folder


@pytest.fixture
def reader(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "derivation.md",
        "for_r_users.md",
        "for_rsimsum_users.md",
        "monte-carlo-error.md",
        "paper-figures.md",
        "studies/README.md",
    ],
)
@pytest.mark.usefixtures("reader")
def test_python_runs(page):
    """A page's blocks one after another, as a reader would run them."""
    names: dict[str, object] = {}
    examples = [code for name, code in blocks("python") if name == page]
    assert examples
    for code in examples:
        exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_studies_load(page, text):
    """A whole study as it is, a part of one in place of the founding study's."""
    tree = yaml.safe_load(text)
    whole = {"name", "seed", "replicates", "truth", "design", "models"} <= set(tree)
    complete = text if whole else yaml.safe_dump({**yaml.safe_load(FOUNDING), **tree})
    assert Study.from_text(complete, file=page).scenarios


@pytest.mark.parametrize(
    "part", yaml.safe_load((DOCS / "sphinx" / "examples.yaml").read_text(encoding="utf-8")), ids=str
)
def test_examples_of_keys_are_right(part):
    tree = {**yaml.safe_load(FOUNDING), "grid": {}}
    for key, value in part.items():
        inside = key in ("truth", "design")
        tree[key] = {**tree[key], **value} if inside else value
    assert Study.from_text(yaml.safe_dump(tree)).scenarios


def test_study_of_the_readme_is_the_founding_study():
    studies = [yaml.safe_load(code) for page, code in blocks("yaml") if page == "README.md"]
    assert studies[0] == yaml.safe_load(FOUNDING)


def _to_twelve_digits(text):
    """The last digits of a sum depend on how a processor's linear algebra adds."""
    return re.sub(r"-?\d+\.\d{12,}", lambda number: f"{float(number[0]):.12g}", text)


@pytest.mark.slow
def test_commands_print_what_is_shown(reader, capsys):
    for line, shown in commands():
        words = shlex.split(line)
        assert words[0] == "hlm"
        assert words[1] in RUN
        target = words[words.index(">") + 1] if ">" in words else None
        assert main(words[1 : words.index(">") if target else None]) == 0, line
        printed = capsys.readouterr().out
        if target:
            (reader / target).write_text(printed, encoding="utf-8")
        wanted = [part.strip("\n") for part in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
        for part in wanted:
            assert _to_twelve_digits(part) in _to_twelve_digits(printed), line


@pytest.mark.parametrize("line", indented_commands())
def test_other_commands_exist(line, capsys):
    """`make` targets are in the Makefile; `hlm` commands are understood as far as `--help`."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        assert f"\n{words[1]}:" in SOURCES
        return
    known = words[1 : words.index("--") if "--" in words else None]
    with pytest.raises(SystemExit) as ended:
        main([*known, "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in known if word.startswith("--"))


def test_profiles_are_there():
    for name in re.findall(r"--profile (\w+)", "\n".join(TEXTS.values())):
        assert (ROOT / "profiles" / name).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            name, _, anchor = target.partition("#")
            goal = (page.parent / name).resolve() if name else page
            assert goal.is_file(), target
            assert not anchor or anchor in anchors(goal), target


def anchors(page):
    """Return the anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", ["derivation.md", "design.md"])
def test_names_of_the_code_are_in_the_code(page):
    """What is written as code is a name in the package or the workflow."""
    prose = re.sub(r"```.*?```", "", TEXTS[page], flags=re.DOTALL)
    names = {name.split(".")[-1] for name in re.findall(r"`([A-Za-z_][\w.]*)(?:\[i\])?`", prose)}
    assert {name for name in names if not re.search(rf"\b{name}\b", SOURCES)} == set()


def test_citation_and_changelog_name_this_version():
    from hlm import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"## {__version__}" in TEXTS["CHANGELOG.md"]
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)


def test_rule_graph_shows_every_rule():
    graph = (IMAGES / "rulegraph.svg").read_text(encoding="utf-8")
    rules = re.findall(r"^rule (\w+):", SOURCES, flags=re.MULTILINE)
    assert set(re.findall(r">(\w+)</text>", graph)) == set(rules)


@pytest.mark.parametrize("image", sorted(IMAGES.iterdir()), ids=lambda image: image.name)
def test_images_are_small(image):
    assert image.stat().st_size < (100_000 if image.suffix == ".svg" else 300_000)
