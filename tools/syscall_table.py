#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make docs/system-calls.md from include/proto/linux_routes.h.

    tools/syscall_table.py > docs/system-calls.md
    tools/syscall_table.py --check      exit status 1 if the page is not what the header says
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/proto/linux_routes.h"
PAGE = ROOT / "docs/system-calls.md"
ROW = re.compile(r'^\s*X\((0x[0-9a-f]+|\d+), (\w+), (\w+), (\w+), (\w+), "(.*)"\)')
MECHANISM = "kernel"


def rows():
    for line in HEADER.read_text().splitlines():
        match = ROW.match(line)
        if match:
            number, name, kind, target, status, remark = match.groups()
            yield int(number, 0), name, where(kind, target), status, remark


def where(kind, target):
    if kind == "SERVER":
        return target.removeprefix("EP_")
    return {"KERNEL": MECHANISM, "ANSWER": "answer", "NOWHERE": ""}[kind]


def page():
    calls = list(rows())
    linux = [c for c in calls if c[0] < 0x1000]
    count = {s: sum(c[3] == s for c in linux) for s in ("FULL", "PARTIAL", "ENOSYS")}
    yield "# System calls"
    yield ""
    yield "Made by `tools/syscall_table.py` from `include/proto/linux_routes.h`, which is also the table that the kernel"
    yield "uses: where a call goes when a user process makes it. *kernel*: a mechanism of the kernel; *answer*: a value"
    yield "that PM keeps true in the process's slot, so that the call costs no message; else the server that serves it."
    yield ""
    yield (f"Of Linux's {len(linux)} calls on x86-64, {count['FULL']} are full, {count['PARTIAL']} partial, and "
           f"{count['ENOSYS']} fail with ENOSYS (logged once for each program and call).")
    yield ""
    yield "| number | call | served by | status | remark |"
    yield "|---|---|---|---|---|"
    for number, name, server, status, remark in calls:
        shown = f"{number:#x}" if number >= 0x1000 else str(number)
        yield f"| {shown} | {name} | {server} | {status.lower() if status != 'ENOSYS' else status} | {remark} |"


def main():
    text = "\n".join(page()) + "\n"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if PAGE.exists() and PAGE.read_text() == text else 1)
    sys.stdout.write(text)


main()
