"""Write a study file to begin with, commented, that runs as it is.

    hlm new
    hlm new trial
    hlm new growth my_study.yaml

Without TEMPLATE the templates are listed. The study has the name of the file, by default that of
the template. A file that is there is never overwritten.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import argparse

__all__ = ["TEMPLATES", "add_arguments", "run"]

TEMPLATES = {
    name: Path(__file__).parent / "templates" / f"{name}.yaml"
    for name in ("article", "trial", "growth", "violation", "selection", "sample-size")
}
"""The files that studies are begun with; the first line of each says what it asks."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("template", metavar="TEMPLATE", nargs="?", help=", ".join(TEMPLATES))
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="the study file; default: TEMPLATE.yaml"
    )


def run(options: argparse.Namespace) -> int:
    """Write a study file, or list the templates; return 0."""
    if options.template is None:
        _list()
        return 0
    text = _read(options.template)
    file = Path(options.file or f"{options.template}.yaml")
    _write(file, _named(text, options.template, file))
    print(f"written: {file}")
    print(f"next: hlm check {file}")
    print(f"      hlm run {file}")
    return 0


def _list() -> None:
    width = max(map(len, TEMPLATES))
    for name in TEMPLATES:
        first, _, _ = _read(name).partition("\n")
        print(f"{name:{width}}  {first.removeprefix('# ')}")


def _read(template: str) -> str:
    if template not in TEMPLATES:
        raise InputError(
            f"unknown template '{template}'",
            allowed=", ".join(TEMPLATES),
            suggestion=nearest(template, TEMPLATES),
        )
    return TEMPLATES[template].read_text(encoding="utf-8")


def _named(text: str, template: str, file: Path) -> str:
    """Return the text with the name of the file as that of the study."""
    import yaml

    from hlm.study.schema_values import safe_name

    try:
        name = safe_name(file.stem)
    except InputError as error:
        raise error.at(file=file) from None
    return text.replace(f"\nname: {template}\n", f"\n{yaml.safe_dump({'name': name})}", 1)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError(
            "the file is there and is not overwritten", file=file, allowed="another name"
        ) from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=file) from None
