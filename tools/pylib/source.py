# SPDX-License-Identifier: BSD-2-Clause
"""The source tree as the checkers see it."""
import os
import re
import subprocess


class Tree:
    def __init__(self, root):
        self.root = root
        out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root,
                             capture_output=True, text=True, check=True).stdout
        self.files = sorted(f for f in set(out.split("\n")) if f and os.path.isfile(os.path.join(root, f)))
        self._texts = {}

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), errors="replace") as f:
                self._texts[path] = f.read()
        return self._texts[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def code(self, *folders):
        """C and assembler files below the folders (all without any)."""
        return [f for f in self.files if f.endswith((".c", ".h", ".S"))
                and (not folders or f.startswith(tuple(d + "/" for d in folders)))]

    def bare_lines(self, path):
        """The lines with comments and the insides of literals replaced by blanks."""
        def blank(match):
            return re.sub(r"[^\n]", " ", match.group(0))
        literal = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        return re.sub(literal, blank, self.text(path), flags=re.S).split("\n")
