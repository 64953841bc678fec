# SPDX-License-Identifier: BSD-2-Clause
"""Generic kernel code names no processor and holds no assembler; CPU-local variables have one door."""
import re

PROCESSOR = re.compile(r"\bx86|__x86_64__|\bamd64\b|\b__asm__\b|\basm\s*(volatile)?\s*\(", re.I)
# How CPU-local variables are laid out is known to their header and to the processor code below it.
LAYOUT = re.compile(r"\.cpulocal|\bcpulocal_(?:start|end|offset|base)\b|%%?gs\b")


def check(tree):
    for path in tree.code("kernel"):
        if path.startswith("kernel/arch/") or "/arch/" in path:
            continue
        raw = tree.lines(path)
        for number, line in enumerate(tree.bare_lines(path), 1):
            if PROCESSOR.search(line):
                yield path, number, "processor-dependent code outside kernel/arch"
            if LAYOUT.search(raw[number - 1]) and not path.endswith("/cpulocal.h"):
                yield path, number, "layout of CPU-local variables outside their header"
