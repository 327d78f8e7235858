# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the checks share: which files there are, and how a check ends."""

import pathlib
import sys

FOLDERS = ("client", "dbus", "docs", "policy", "service", "systemd", "tests")


def files(root, *suffixes, folders=FOLDERS):
    """Files below the given folders of the tree, relative to it, sorted; with a suffix, or all."""
    root = pathlib.Path(root)
    found = (p for folder in folders for p in (root / folder).rglob("*") if p.is_file())
    return sorted(p.relative_to(root) for p in found if not suffixes or p.suffix in suffixes)


def finish(what, count, problems):
    """Prints the problems and ends the check. Nothing looked at is a failure, not a success."""
    for problem in problems:
        print(problem)
    if not count:
        problems = ["nothing"]
        print(f"there is no {what} to check")
    print(f"{what}: {count} looked at, {len(problems)} problems")
    sys.exit(1 if problems else 0)
