# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs say of the volume as a whole, and single files by those that give one at a time."""
import hashlib
import os
import re

import readers

# The partition has all sessions, and so their descriptors (docs/formats.md); and the note "anchor" in limits.py.
OVERLAP = "udfinfo: Warning: Partition Space overlaps with other blocks"
AT_THE_END = ("xorriso", "bdre")
EXPECTED_WARNINGS = [{OVERLAP}, {OVERLAP, "udfinfo: Warning: First and second Anchor Volume Descriptor Pointer not found, using third"}]


def check(images, work):
    """Returns a line for each thing that isn't as it must be."""
    said = []
    for image in images:
        if not image.sequential:  # there sector 16 is the first session's
            said += check_labels(image)
            said += check_single_files(image, work)
            said += check_boot(image)
        if image.has_udf:
            said += check_udf(image)
    return said


def check_labels(image):
    label = "%s %d" % (image.name, image.newest)
    said = []
    # The note "anchor" in limits.py
    for kind in ["iso9660"] + ["udf"] * (image.has_udf and image.name not in AT_THE_END):
        found = readers.volume_of_blkid(image.path, kind).get("LABEL")
        if found != label:
            said.append("%s: blkid finds the %s label %s" % (image.name, kind, found))
    return said


def check_udf(image):
    found = readers.volume_of_udfinfo(image.path, image.starts[-1] if image.sequential else 0)
    tree = [entry for entry in image.tree(image.newest) if image.name != "nolinks" or entry.type in "fd"]
    wanted = {"label": "%s %d" % (image.name, image.newest), "integrity": "closed", "udfrev": "1.02", "blocksize": "2048",
              "numdirs": str(sum(entry.type == "d" for entry in tree)),
              "numfiles": str(len({entry.file for entry in tree if entry.type != "d"}))} # hard links count once
    said = ["%s: udfinfo says %s=%s instead of %s" % (image.name, key, found.get(key), value)
            for key, value in wanted.items() if found.get(key) != value]
    return said + ["%s: udfinfo: %s" % (image.name, line) for line in found["warnings"]
                   if line not in EXPECTED_WARNINGS[image.name in AT_THE_END]]


def check_single_files(image, work):
    """By iso-read and isoinfo -x: the first files with plain names that have some content."""
    said = []
    files = [entry for entry in image.tree(image.newest) if entry.type == "f" and entry.size and entry.size < 10**7 and entry.mode & 0o400 and
             entry.path.replace(b"/", b"").isalnum() and len(entry.path) < 60]
    for entry in files[:5]:
        out = os.path.join(work, "single")
        path = "/" + entry.path.decode()
        # iso-read looks through the tree that iso-info shows without Rock Ridge.
        for name, command in (("isoinfo -x", ["isoinfo", "-i", image.path, "-R", "-x", path]),
                              ("iso-read", ["iso-read", "-i", image.path, "-e", path, "-o", out])):
            data = readers.output_of(command)
            if name == "iso-read":
                with open(out, "rb") as file:
                    data = file.read()
            if hashlib.sha256(data).hexdigest() != entry.sha256:
                said.append("%s: %s gives another content of %s" % (image.name, name, path))
    return said


def boot_images(path):
    """Where isoinfo and xorriso find boot images: (program, sector)."""
    found = re.findall(rb"Bootoff ([0-9A-F]+) ", readers.output_of(["isoinfo", "-d", "-i", path]))
    images = [("isoinfo", int(sector, 16)) for sector in found]
    report = readers.output_of(["xorriso", "-report_about", "SORRY", "-indev", path, "-report_el_torito", "plain"])
    return images + [("xorriso", int(sector)) for sector in re.findall(rb"^El Torito boot img .* (\d+)$", report, re.M)]


def check_boot(image):
    """The boot images are these files, wherever they were moved to. isoinfo shows the first one alone."""
    files = {entry.path.split(b"/")[-1]: entry for entry in image.tree(image.newest) if entry.path.split(b"/")[-2:-1] == [b"boot"]}
    wanted = [files[name] for name in (b"loader", b"efi") if name in files]
    wanted = [("isoinfo", entry) for entry in wanted[:1]] + [("xorriso", entry) for entry in wanted]
    found = boot_images(image.path)
    if [program for program, _ in found] != [program for program, _ in wanted]:
        return ["%s: boot images are found so: %s" % (image.name, found)]
    return ["%s: %s finds another boot image at %d than %s" % (image.name, program, sector, entry.path.decode())
            for (program, sector), (_, entry) in zip(found, wanted)
            if readers.Extents(image.path).digest(sector, entry.size) != entry.sha256]
