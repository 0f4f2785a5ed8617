"""Write the JSON schema of the study file, or with ``--check`` compare it with the one there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hlm.disk import write_text
from hlm.study.schema import schema_text


def main() -> int:
    """Run ``python -m hlm.study [--check] FILE``."""
    parser = argparse.ArgumentParser(prog="python -m hlm.study", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="exit with 1 if the file is outdated")
    options = parser.parse_args()
    if not options.check:
        write_text(options.file, schema_text())
        return 0
    current = options.file.read_text(encoding="utf-8") if options.file.exists() else ""
    if current == schema_text():
        return 0
    print(f"{options.file} is outdated: run python -m hlm.study {options.file}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
