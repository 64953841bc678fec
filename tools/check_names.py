# SPDX-License-Identifier: BSD-2-Clause
"""Files are named by their concept, and none lies deeper than four folders (processor code excepted)."""
import re

NO_CONCEPT = re.compile(r"^(misc|util|utils|utility|utilities|common|glo|const|type|inc|helper|helpers|stuff)\.[chS]$")
MAX_DEPTH = 4


def check(tree):
    for path in tree.code():
        *folders, name = path.split("/")
        # include/proto/common.h is the protocol that all services speak, which is a concept.
        if NO_CONCEPT.match(name) and folders[:2] != ["include", "proto"]:
            yield path, 1, "the file's name names no concept"
        if name[:-2] != name[:-2].lower() or "-" in name:
            yield path, 1, "file names are lower case with underscores"
        if len(folders) > MAX_DEPTH and "arch" not in folders and "include" not in folders:
            yield path, 1, f"deeper than {MAX_DEPTH} folders"
    for path in tree.files:
        folders = path.split("/")
        if len(folders) == 3 and folders[0] in ("servers", "fs") and f"{folders[0]}/{folders[1]}/README.md" not in tree.files:
            yield "/".join(folders[:2]), 1, "no README.md"
            return
