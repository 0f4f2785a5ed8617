"""What is published: wheel, sdist, recipe of conda, image, citation; they say and hold the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from hlm.operations.fingerprint import STAGES, fingerprint
from hlm.pipeline_files import pipeline_files

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / "recipe" / "meta.yaml").read_text(encoding="utf-8"))
ELSEWHERE = {"matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}
"""What conda names otherwise: the parts without Qt, and without the reports of other programs."""


def built(source, folder, target):
    """Build a wheel or an sdist and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(folder.glob("*.whl" if target == "wheel" else "*.tar.gz"))


def contents(wheel):
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


def files(folder):
    """Return the files of the source, without what tools leave."""
    return [
        path
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]


def test_the_wheel_holds_the_package_and_the_workflow_and_no_more(wheel):
    beside = [ROOT / "Snakefile", *files("workflow"), *files("profiles")]
    expected = {str(path.relative_to(ROOT)): path for path in files("hlm")}
    expected |= {f"hlm/pipeline/{path.relative_to(ROOT)}": path for path in beside}
    held = {name: text for name, text in contents(wheel).items() if ".dist-info/" not in name}
    assert held == {name: path.read_bytes() for name, path in expected.items()}
    assert "hlm/py.typed" in held


def test_the_sdist_builds_the_same_wheel_and_holds_the_tests(wheel, tmp_path):
    sdist = built(ROOT, tmp_path, "sdist")
    (tmp_path / "source").mkdir()
    subprocess.run(["tar", "-xzf", sdist, "-C", tmp_path / "source"], check=True)
    (source,) = (tmp_path / "source").iterdir()
    assert contents(built(source, tmp_path / "again", "wheel")) == contents(wheel)
    needed = ["Makefile", "requirements.lock", "CITATION.cff", "CHANGELOG.md", "Dockerfile"]
    needed += ["config/ogorek2012.yaml", "docs/design.md", "tests/test_distribution.py"]
    assert all((source / name).is_file() for name in needed)


@pytest.fixture
def installed(wheel, tmp_path):
    """Run Python where the wheel is unpacked, in an empty folder, and return what it prints."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    place = tmp_path / "empty"
    place.mkdir()
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=place,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_wheel_has_its_workflow_within_and_the_clone_beside(installed, tmp_path):
    found = installed("from hlm.pipeline_files import pipeline_files; print(pipeline_files())")
    assert found.strip() == str(tmp_path / "site" / "hlm" / "pipeline")
    assert pipeline_files() == ROOT


def test_what_a_clone_has_begun_the_wheel_goes_on_with(installed):
    stages = [*STAGES]
    code = f"from hlm.operations.fingerprint import fingerprint as f; print(*map(f, {stages}))"
    assert installed(code).split() == [fingerprint(stage) for stage in stages]


def test_the_wheel_plans_a_study_in_an_empty_folder(installed):
    code = "from hlm.cli import main; assert main([{}]) == 0"
    installed(code.format("'new', 'trial'"))
    out = installed(code.format("'run', 'trial.yaml', '--cores', '1', '--', '--dry-run'"))
    for rule in ("compile_kernels", "fit", "compact", "summarize", "present"):
        assert re.search(rf"^{rule} +\d", out, re.MULTILINE)


def bounds(requirements):
    """Return the lower bound of each package."""
    return dict(re.fullmatch(r"([\w.-]+) ?>=([\d.]+)", line).groups() for line in requirements)


def test_the_recipe_has_the_bounds_and_the_version_of_the_project():
    python = PROJECT["requires-python"].removeprefix(">=")
    ours = {
        ELSEWHERE.get(name, name): least for name, least in bounds(PROJECT["dependencies"]).items()
    }
    assert bounds(RECIPE["requirements"]["run"]) == ours | {"python": python}
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    host = [line for line in RECIPE["requirements"]["host"] if line != "pip"]
    assert bounds(host) == bounds(build["requires"]) | {"python": python}
    assert RECIPE["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
    (command,) = RECIPE["build"]["entry_points"]
    assert command == " = ".join(("hlm", PROJECT["scripts"]["hlm"]))


def test_summary_licence_and_keywords_are_said_once():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == RECIPE["about"]["license"] == PROJECT["license"]
    assert citation["keywords"] == PROJECT["keywords"]
    assert citation["version"] == PROJECT["version"]
    assert citation["title"] == f"hlm: {PROJECT['description']}"
    assert RECIPE["about"]["summary"] == PROJECT["description"]


def pythons():
    """Return the versions of Python that the classifiers name."""
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    return sorted(named, key=lambda version: int(version.partition(".")[2]))


def test_classifiers_begin_with_the_oldest_python_and_leave_none_out():
    minors = [int(version.partition(".")[2]) for version in pythons()]
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_image_has_a_python_and_an_extra_of_the_project():
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM python:([\d.]+)-slim$", image, re.MULTILINE)[1] in pythons()
    assert re.search(r"/source\[(\w+)\]", image)[1] in PROJECT["optional-dependencies"]
    assert 'ENTRYPOINT ["hlm"]' in image
