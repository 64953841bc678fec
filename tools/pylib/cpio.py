# SPDX-License-Identifier: BSD-2-Clause
"""Writing a cpio archive in the "newc" format without being root.

Entries are collected by path and written in the order of their first mention, parents before children. Owners,
modes, times and device numbers are what the caller says, so the archive depends on its inputs alone.
"""
import os
import stat

FIXED_TIME = int(os.environ.get("SOURCE_DATE_EPOCH", "1735689600"))


class Archive:
    def __init__(self, known=()):
        """`known`: paths of an archive that this one will follow, whose folders need no second entry."""
        self.known = set(known)
        self.entries = {}

    def _put(self, path, mode, data=b"", uid=0, gid=0, rdev=(0, 0), mtime=None):
        path = path.strip("/")
        if not path:
            return
        parent = os.path.dirname(path)
        if parent and parent not in self.entries and parent not in self.known:
            self.directory(parent)
        self.entries[path] = (mode, data, uid, gid, rdev, FIXED_TIME if mtime is None else mtime)

    def directory(self, path, mode=0o755, uid=0, gid=0):
        self._put(path, stat.S_IFDIR | mode, uid=uid, gid=gid)

    def file(self, path, data, mode=0o644, uid=0, gid=0):
        self._put(path, stat.S_IFREG | mode, data, uid, gid)

    def symlink(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, kind, major, minor, mode=0o666, uid=0, gid=0):
        self._put(path, {"c": stat.S_IFCHR, "b": stat.S_IFBLK}[kind] | mode, uid=uid, gid=gid, rdev=(major, minor))

    def tree(self, path, host_path):
        """A file, symbolic link or folder of the host, folders with all that is in them."""
        info = os.lstat(host_path)
        if stat.S_ISLNK(info.st_mode):
            self.symlink(path, os.readlink(host_path))
        elif stat.S_ISDIR(info.st_mode):
            self.directory(path, stat.S_IMODE(info.st_mode))
            for name in sorted(os.listdir(host_path)):
                self.tree(f"{path}/{name}", os.path.join(host_path, name))
        elif stat.S_ISREG(info.st_mode):
            with open(host_path, "rb") as f:
                self.file(path, f.read(), stat.S_IMODE(info.st_mode))
        else:
            raise ValueError(f"{host_path}: neither file, folder nor symbolic link")

    def write(self, out):
        position = 0
        for number, (path, entry) in enumerate([*self.entries.items(), ("TRAILER!!!", None)], 1):
            record = newc_record(path, number, entry)
            out.write(record)
            position += len(record)
        out.write(bytes(-position % 512))


def newc_record(path, number, entry):
    mode, data, uid, gid, rdev, mtime = entry or (0, b"", 0, 0, (0, 0), 0)
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number if entry else 0, mode, uid, gid, links, mtime, len(data), 0, 0, *rdev, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def records(data):
    """(offset, path) of every entry of an archive, the trailer included."""
    offset = 0
    while True:
        head = data[offset:offset + 110]
        if head[:6] != b"070701":
            raise ValueError(f"no cpio entry at offset {offset}")
        size, name_size = int(head[54:62], 16), int(head[94:102], 16)
        path = data[offset + 110:offset + 109 + name_size].decode()
        yield offset, path
        if path == "TRAILER!!!":
            return
        offset = (offset + 110 + name_size + 3) // 4 * 4
        offset = (offset + size + 3) // 4 * 4


def paths(data):
    return [path for _, path in records(data)][:-1]


def trailer_offset(data):
    return list(records(data))[-1][0]


def entries(data, prefix):
    """(path behind the prefix, mode, uid, gid, (major, minor), contents) of every entry below the prefix."""
    for offset, path in records(data):
        if not path.startswith(prefix) or path == prefix:
            continue
        field = [int(data[offset + 6 + 8 * i:offset + 14 + 8 * i], 16) for i in range(13)]
        start = (offset + 110 + field[11] + 3) // 4 * 4
        yield path[len(prefix):], field[1], field[2], field[3], (field[9], field[10]), data[start:start + field[6]]
