# SPDX-License-Identifier: BSD-2-Clause
"""The only place that knows QEMU's command line.

The processor model is qemu64 with the features that the system uses, the same for Axolotl and for the Linux beside
which it is measured. It lacks ERMS on purpose: with it Linux copies by `rep movsb`, which TCG runs byte by byte.
"""
import os

PROGRAM = "qemu-system-x86_64"
CPU = ",".join(["qemu64", "+nx", "+smep", "+smap", "+umip", "+fsgsbase", "+rdrand", "+rdtscp", "+pdpe1gb", "+clflushopt",
                "+popcnt", "+ssse3", "+sse4.1", "+sse4.2"])
UEFI_FIRMWARE = "/usr/share/ovmf/OVMF.fd"
# A write of V to this port ends QEMU with status 2 V + 1.
DEBUG_EXIT_PORT = 0xF4


def kernel_path(build):
    return os.path.join(build, "kernel", "axolotl.elf")


def archive_path(build):
    return os.path.join(build, "boot.cpio")


class Machine:
    """What a machine consists of; command() turns it into the argument list."""

    def __init__(self, kernel, initrd, smp=2, mem=512):
        self.kernel, self.initrd, self.smp, self.mem = kernel, initrd, smp, mem
        self.append, self.disks, self.serials, self.extra = [], [], [], []
        self.machine = "pc"
        self.devices = []  # QEMU's -device arguments
        self.icount = False
        self.reboot = True
        self.cdrom = None
        self.uefi = False

    def disk_words(self, number, disk):
        """FILE[,root-port][,PROPERTY=VALUE...]: behind a PCI Express root port of its own; properties of the device."""
        file, *properties = disk.split(",")
        words = ["-drive", f"file={file},if=none,id=disk{number},format=raw,cache=writeback,discard=unmap"]
        if "root-port" in properties:
            properties[properties.index("root-port")] = f"bus=port{number}"
            words += ["-device", f"pcie-root-port,id=port{number},chassis={number + 1}"]
        return words + ["-device", ",".join([f"virtio-blk-pci,drive=disk{number}"] + properties)]

    def command(self):
        thread = "single" if self.icount else "multi"
        line = [PROGRAM, "-machine", self.machine, "-accel", f"tcg,thread={thread}", "-cpu", CPU, "-smp", str(self.smp),
                "-m", str(self.mem), "-nodefaults", "-display", "none",
                "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=4"]
        if self.uefi:
            line += ["-bios", UEFI_FIRMWARE]
        if self.cdrom:
            line += ["-cdrom", self.cdrom, "-boot", "d"]
        else:
            line += ["-kernel", self.kernel, "-initrd", self.initrd, "-append", " ".join(self.append)]
        if not self.reboot:
            line += ["-no-reboot"]
        if self.icount:
            line += ["-icount", "shift=0"]
        for number, disk in enumerate(self.disks):
            line += self.disk_words(number, disk)
        for device in self.devices:
            line += ["-device", device]
        for serial in self.serials:
            line += ["-serial", serial]
        return line + self.extra
