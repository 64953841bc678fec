# SPDX-License-Identifier: BSD-2-Clause
"""Who may include what: the dependency rules of docs/style.md.

kernel -> its own headers and include/abi, include/arch; services -> lib, include, their own folder; lib -> lib without
cycles, include. Headers of another component's folder are private.
"""
import os
import re

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
KERNEL_ROOTS = ("kernel/include", "kernel/arch/x86_64/include")


def includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def resolve(tree, path, name):
    """The file in the tree that the include means, or None for one of the C library or the compiler."""
    lib_roots = sorted({"/".join(f.split("/")[:3]) for f in tree.files if re.match(r"lib/[^/]+/include/", f)})
    roots = [os.path.dirname(path), component(path), "include", *(KERNEL_ROOTS if path.startswith("kernel/") else lib_roots)]
    for root in roots:
        candidate = os.path.normpath(os.path.join(root, name))
        if candidate in tree.files:
            return candidate
    return None


def component(path):
    """The folder that a file belongs to: kernel, lib/NAME, servers/NAME, fs/NAME, drivers/CLASS/NAME."""
    parts = path.split("/")
    depth = {"kernel": 1, "include": 1, "drivers": 3}.get(parts[0], 2)
    return "/".join(parts[:depth])


def complaint(path, target):
    own, other = component(path), component(target)
    if own == other:
        return None
    if own == "kernel":
        return None if target.startswith(("include/abi/", "include/arch/")) else "the kernel may include include/abi only"
    if other == "include":
        return None
    if other == "kernel":
        return "a kernel header outside the kernel"
    if other.startswith("lib/") and "/include/" in target:
        return None
    return f"a private header of {other}"


def cycles(edges):
    """Pairs of libraries that reach each other."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for following in edges.get(todo.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    todo.append(following)
        return seen
    return sorted(lib for lib in edges if lib in reach(lib))


def check(tree):
    edges = {}
    for path in tree.code("kernel", "servers", "fs", "drivers", "lib", "include"):
        if "/test/" in path:
            continue
        for number, quote, name in includes(tree, path):
            target = resolve(tree, path, name)
            if target is None:
                if quote == '"':
                    yield path, number, f"no such header: {name}"
                elif path.startswith("kernel/") and name not in ("stdint.h", "stddef.h", "stdbool.h", "stdarg.h"):
                    yield path, number, f"the kernel has no C library: {name}"
                continue
            what = complaint(path, target)
            if what:
                yield path, number, f"{what}: {name}"
            own, other = component(path), component(target)
            if own.startswith("lib/") and other.startswith("lib/") and own != other:
                edges.setdefault(own, set()).add(other)
    for lib in cycles(edges):
        yield lib, 1, "libraries include each other in a circle"
