# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what a reader shows with what was committed. A difference is explained by a row of limits.LIMITS, or it is a
failure."""
import dataclasses
import hashlib
import typing

from entry import shown

EMPTY = hashlib.sha256(b"").hexdigest()


@dataclasses.dataclass
class Difference:
    path: bytes
    column: str  # of Entry; "name", "missing" or "extra"
    expected: typing.Any
    found: typing.Any
    entry: typing.Any = None  # what was committed
    limit: typing.Any = None

    def __str__(self):
        def text(value):
            return shown(value) if isinstance(value, bytes) else "%04o" % value if self.column == "mode" and value is not None else str(value)
        return "%s: %s: committed %s, shown %s" % (shown(self.path), self.column, text(self.expected), text(self.found))


class Node:
    def __init__(self, name, entry=None):
        self.name, self.entry, self.children = name, entry, {}
        self.sum = None

    def digest(self):
        """Equal for what has the same content, whatever the names."""
        if self.sum is None:
            if self.children or not self.entry or self.entry.type == "d":
                words = sorted(child.digest() for child in self.children.values())
            else:
                words = [self.entry.type, str(self.entry.size), str(self.entry.sha256), str(self.entry.target)]
            self.sum = hashlib.sha256("\n".join(words).encode()).hexdigest()
        return self.sum


def tree_of(entries):
    root = Node(b".")
    for entry in entries:
        node = root
        for name in entry.path.split(b"/") if entry.path != b"." else []:
            node = node.children.setdefault(name, Node(name))
        node.entry = entry
    return root


def pair(expected, found, namer, pairs, differences):
    """Children with the name that namer foresees first, then those that have the same content, then alone left ones."""
    left = dict(found.children)
    rest = []
    for name, node in sorted(expected.children.items()):
        other = left.get(namer(name))
        if other is not None and bool(other.children) <= (node.entry is None or node.entry.type == "d"):
            del left[namer(name)]
            pairs.append((node, other))
        else:
            rest.append(node)
    by_content = {}
    for name, other in sorted(left.items()):
        by_content.setdefault(other.digest(), []).append(other)
    for node in rest:
        same = by_content.get(node.digest())
        if same:
            pairs.append((node, take_best(same, node)))
            del left[pairs[-1][1].name]
        else:
            differences.append(Difference(node.entry.path, "missing", node.entry.type, None, node.entry))
    for other in left.values():
        if other.entry:
            differences.append(Difference(other.entry.path, "extra", None, other.entry.type))


def take_best(nodes, wanted):
    """Of several with the same content the one with the same time, if there is one."""
    for i, node in enumerate(nodes):
        if node.entry and wanted.entry and node.entry.mtime == wanted.entry.mtime // 10**9 * 10**9:
            return nodes.pop(i)
    return nodes.pop(0)


def compare(expected, found, view):
    """The differences; expected and found: lists of entries."""
    differences = []
    seen = {}
    for entry in found:
        if entry.path in seen:
            differences.append(Difference(entry.path, "extra", None, "a second time"))
        seen[entry.path] = entry
    waiting = [(tree_of(filter(None, map(view.expected, expected))), tree_of(found))]
    while waiting:
        node, other = waiting.pop()
        if node.entry and other.entry:
            differences += compare_entry(node, other, view)
        pairs = []
        pair(node, other, view.namer, pairs, differences)
        waiting += pairs
    by_path = {entry.path: entry for entry in expected}
    for difference in differences:
        if difference.entry is None:
            difference.entry = by_path.get(difference.path)
    return differences


def compare_entry(node, other, view):
    expected, found = node.entry, other.entry
    differences = []
    if other.name != view.namer(node.name):
        differences.append(Difference(expected.path, "name", node.name, other.name, expected))
    for column in view.columns:
        one, two = getattr(expected, column), getattr(found, column)
        if column in ("links", "mode", "owner") and expected.type == ("d" if column == "links" else "l" if view.softmeta else ""):
            continue
        if one != two:
            differences.append(Difference(expected.path, column, one, two, expected))
    return differences


def explain(differences, view, limits, case):
    """Sets the limit of each that one explains."""
    for difference in differences:
        for limit in limits:
            if limit.applies(view, case, difference):
                difference.limit = limit
                break
