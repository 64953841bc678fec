# SPDX-License-Identifier: BSD-2-Clause
"""Every source file says its licence in its first lines."""
MARK = "SPDX-License-Identifier: BSD-2-Clause"
ENDINGS = (".c", ".h", ".S", ".ld", ".py", ".sh", ".mk", ".def")


def is_source(tree, path):
    name = path.rsplit("/", 1)[-1]
    return path.endswith(ENDINGS) or name == "Makefile" or (
        path.startswith(("tools/", "tests/", ".ci/", "third_party/")) and tree.text(path).startswith("#!"))


def check(tree):
    for path in tree.files:
        if is_source(tree, path) and tree.text(path) and MARK not in "\n".join(tree.lines(path)[:3]):
            yield path, 1, "no licence line"
