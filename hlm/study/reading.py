"""From a study file to a tree of builtin values, and the line on which each of them stands.

YAML is read with `yaml.SafeLoader`'s grammar and the scalars of YAML 1.2, so that ``1e-3`` is a
number and ``010`` is not eight. Size, depth and aliases are bounded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hlm.errors import InputError, together

__all__ = ["Lines", "Written", "place", "read_text", "read_tree"]

MAX_BYTES = 1_000_000
MAX_NODES = 100_000

Lines = dict[str, int]

_NAMES = (":str", ":bool")
_LABELS = (*_NAMES, ":int", ":float")
_OF_VALUES = re.compile(
    r"design\..*\bcategories(\[\d+\]|\.[^.]*)?$|residual\.variance(\[\d+\]|\.[^.]*)?\.\w+$"
)


class Written(NamedTuple):
    """A study as written.

    Attributes
    ----------
    tree : dict
    lines : dict of str to int
        The line of each key, under its path.
    twice : list of (int, InputError)
        The keys that are there twice, and their lines; the first of each is in the tree.
    """

    tree: dict[str, Any]
    lines: Lines
    twice: list[tuple[int, InputError]]


class _Loader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2 (and yes, no, on, off)."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)


def place(file: str | Path | None, line: int | None) -> str | None:
    """Write a place in a file, ``study.yaml:3``.

    Examples
    --------
    >>> place("study.yaml", 3), place(None, 3), place(None, None)
    ('study.yaml:3', 'line 3', None)
    """
    if line is None:
        return None if file is None else str(file)
    return f"line {line}" if file is None else f"{file}:{line}"


def read_text(path: str | Path) -> str:
    """Read a study file.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder, too large, or no UTF-8 text.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", file=path) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=path) from None
    except ValueError as error:
        raise InputError(f"no file can have this name: {error}") from None
    if len(content) > MAX_BYTES:
        raise InputError("the file is too large", file=path, allowed=f"{MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"the file is not UTF-8 text (byte {content[error.start]:#04x})"
        raise InputError(problem, file=place(path, line)) from None


def read_tree(text: str, *, file: str | Path | None) -> Written:
    r"""Read the text of a study into builtin values.

    Parameters
    ----------
    text : str
    file : path or None
        Where it comes from, for messages.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If it is empty, no YAML or no mapping, or has keys that are no text.

    Examples
    --------
    >>> written = read_tree("name: s\ngrid: {a: [1]}", file=None)
    >>> written.tree, written.lines
    ({'name': 's', 'grid': {'a': [1]}}, {'name': 1, 'grid': 2, 'grid.a': 2, 'grid.a[0]': 2})
    """
    if len(text) > MAX_BYTES:
        raise InputError("the study is too large", file=file, allowed=f"{MAX_BYTES} characters")
    try:
        return _Tree(text, file).read()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(text, error, file) from None
    except yaml.YAMLError as error:
        raise InputError(f"the file is not YAML: {error}".splitlines()[0], file=file) from None
    except RecursionError:
        raise InputError("the file is nested too deeply", file=file) from None


def _not_yaml(text: str, error: yaml.MarkedYAMLError, file: str | Path | None) -> InputError:
    mark = error.problem_mark or error.context_mark
    where = place(file, mark.line + 1 if mark else None)
    source = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if any("\t" in line for line in source):
        return InputError("there is a tab", file=where, allowed="indentation by spaces")
    return InputError(f"the file is not YAML: {error.problem or error.context}", file=where)


class _Tree:
    """The nodes of one file, built up to values."""

    def __init__(self, text: str, file: str | Path | None) -> None:
        self.loader = _Loader(text)
        self.file = file
        self.lines: Lines = {}
        self.wrong: list[tuple[int, InputError]] = []  # keys, with their lines
        self.nameless = False
        self.nodes = 0
        self.open: set[int] = set()

    def read(self) -> Written:
        root = self.loader.get_single_node()
        if root is None or root.tag.endswith(":null"):
            raise InputError("the file is empty", file=self.file, allowed="a study")
        tree = self.value(root, "")
        if self.nameless:
            raise together(error for _, error in self.wrong)
        if not isinstance(tree, dict):
            problem = "the file holds no mapping of keys to values"
            raise InputError(problem, file=self.file, allowed="name: ..., truth: ..., ...")
        return Written(tree, self.lines, self.wrong)

    def value(self, node: yaml.Node, path: str) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or id(node) in self.open:
            problem = "the file holds too many values, or an alias within what it stands for"
            raise self.error(node, problem, path)
        self.open.add(id(node))
        value = self.build(node, path)
        self.open.discard(id(node))
        return value

    def build(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.item(item, f"{path}[{i}]") for i, item in enumerate(node.value)]
        if node.tag.endswith(":int") and len(node.value) > 400:
            raise self.error(node, "a number with too many digits", path)
        return self.loader.construct_object(node)

    def item(self, node: yaml.Node, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = self.key(key_node, path), key_node.start_mark.line + 1
            below = f"{path}.{key}" if path else key
            if key in found:
                problem = f"the key '{key}' is there twice"
                self.wrong.append((line, self.error(key_node, problem, below)))
                continue
            self.lines[below] = line
            found[key] = self.value(value_node, below)
        return found

    def key(self, node: yaml.Node, path: str) -> str:
        shown = str(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"
        # A key is a name: `true` and `on` are no values there. A value of a covariate may be a
        # number.
        kinds = _LABELS if _OF_VALUES.search(path) else _NAMES
        if not (isinstance(node, yaml.ScalarNode) and node.tag.endswith(kinds)):
            problem = f"the key {shown} is not text"
            error = self.error(node, problem, path, allowed="a name, in quotes")
            self.wrong.append((node.start_mark.line + 1, error))
            self.nameless = True
        return shown

    def error(
        self, node: yaml.Node, problem: str, path: str, *, allowed: str | None = None
    ) -> InputError:
        where = place(self.file, node.start_mark.line + 1)
        return InputError(problem, file=where, path=path, allowed=allowed)
