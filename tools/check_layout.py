# SPDX-License-Identifier: BSD-2-Clause
"""Columns, length of files and functions. A function may be longer when the line above it says why: `/* long: ... */`."""
import re

MAX_COLUMN, MAX_FILE, MAX_FUNCTION = 140, 1000, 60
# Tables and programs taken over whole.
EXCEPT = ("tests/perf/osbench.c",)


def functions(lines):
    """(first line, last line, number of the line of the name) of each function: a `{` and a `}` in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{") and number > 1 and re.search(r"\)\s*$", lines[number - 2]):
            start = number
        elif line.startswith("}") and start:
            yield start, number
            start = None


def check_functions(tree, path):
    lines = tree.lines(path)
    for first, last in functions(tree.bare_lines(path)):
        waived = any("/* long:" in line for line in lines[max(0, first - 6):first + 1])
        if last - first - 1 > MAX_FUNCTION and not waived:
            yield path, first, f"a function of {last - first - 1} lines (at most {MAX_FUNCTION})"


def check(tree):
    for path in tree.files:
        if path in EXCEPT or not path.endswith((".c", ".h", ".S", ".py", ".sh", ".mk", ".def")):
            continue
        lines = tree.lines(path)
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(8)) > MAX_COLUMN and path.endswith((".c", ".h", ".S")):
                yield path, number, f"column {len(line.expandtabs(8))} (at most {MAX_COLUMN})"
            if line != line.rstrip():
                yield path, number, "blanks at the end of the line"
        if len(lines) > MAX_FILE:
            yield path, 1, f"{len(lines)} lines (at most {MAX_FILE})"
        if path.endswith(".c"):
            yield from check_functions(tree, path)
