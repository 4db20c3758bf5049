# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of readers and cases as Markdown, and whether the one in docs/ says the same."""
import os

TREES = {"rr": "Rock Ridge", "joliet": "Joliet", "plain": "Plain ISO 9660", "udf": "UDF"}

TITLES = {
    "unicode": "CJK, emoji, combining, right-to-left names", "long": "names of up to 255 bytes", "case": "names that differ by case only",
    "special": "backslash, colon, trailing dot, line end, …", "deep": "30 levels deep", "symlinks": "symbolic links", "hard": "hard links",
    "modes": "set-id, 0000, owners", "devices": "devices, FIFOs, sockets", "years": "1969 to 2155, fractions", "empty": "empty files and directories",
    "attributes": "extended attributes, ACLs", "sizes": "files of 1 byte to 1 MB", "longlinks": "links with targets of 240 and 1,000 bytes",
    "nolinks": "all of this, -o udf_links=no",
    "noudf": "-o formats=iso,joliet, without attributes, 2 sessions", "sessions": "3 sessions, with discfsctl boot", "twenty": "20 sessions", "xorriso": "begun by xorriso with El Torito, 2 sessions more", "genisoimage": "begun by genisoimage, 2 sessions more",
    "cdr": "CD-R, 3 sessions", "bdr": "BD-R, 3 sessions", "dvdrw": "DVD+RW, 2 sessions", "bdre": "BD-RE begun by xorriso, 2 sessions more", "many": "20,000 files, 2 sessions", "large": "5 GiB file, 2 sessions",
}


class Cell:
    def __init__(self):
        self.read, self.notes, self.refused, self.bad = False, set(), False, False

    def __str__(self):
        word = "**differs**" if self.bad else "refused" if self.refused else "yes" if self.read else "·"
        return " ".join([word] + ["(%d)" % note for note in sorted(self.notes)])


def numbers_of(limits):
    keys = []
    for limit in limits:
        if limit.key not in keys and not limit.everywhere:
            keys.append(limit.key)
    return {key: i + 1 for i, key in enumerate(keys)}


def cells_of(results, cases_of, case_of, numbers):
    cells = {}
    for result in results:
        def cell(case, result=result):
            return cells.setdefault((result.view.tree, case), {}).setdefault(result.view.title, Cell())
        for case in cases_of(result):
            cell(case).read = True
        for difference in result.differences:
            # What concerns the whole image concerns each case on it.
            whole = difference.column == "failed" or case_of(result, difference) not in cases_of(result)
            for case in cases_of(result) if whole and difference.column == "failed" else [case_of(result, difference)]:
                if case not in cases_of(result):
                    continue
                target = cell(case)
                target.bad |= difference.limit is None
                target.refused |= difference.column == "failed"
                if difference.limit and not difference.limit.everywhere:
                    target.notes.add(numbers[difference.limit.key])
    return cells


def rows_of(cells, titles):
    """{(tree, case): line}"""
    rows = {}
    for (tree, case), by_title in cells.items():
        words = [str(by_title.get(title, Cell())) for title in titles[tree]]
        rows[tree, case] = "| %s | %s |" % (TITLES[case], " | ".join(words))
    return rows


def write(results, all_views, cases_of, case_of, limits, path, docs):
    """Writes the table, with the rows of docs for what wasn't read now. Returns the rows that docs has otherwise."""
    numbers = numbers_of(limits)
    titles = {tree: [] for tree in TREES}
    for view in all_views + [result.view for result in results]:
        if view.title not in titles[view.tree]:
            titles[view.tree].append(view.title)
    rows = rows_of(cells_of(results, cases_of, case_of, numbers), titles)
    old, intro = [], ""
    if os.path.exists(docs):
        with open(docs, encoding="utf-8") as file:
            text = file.read()
        intro, _, rest = text.partition("\n## ")
        old = rest.split("\n")
    lines = [intro.rstrip("\n")]
    for tree, name in TREES.items():
        if not titles[tree]:
            continue
        lines += ["", "## " + name, "", "| | %s |" % " | ".join(titles[tree]), "|---" * (len(titles[tree]) + 1) + "|"]
        for case, title in TITLES.items():
            kept = [line for line in section(old, name) if line.startswith("| %s |" % title)]
            lines += [rows[tree, case]] if (tree, case) in rows else kept
    lines += ["", "## Notes", "", "Everywhere: " + " ".join(limit.reason for limit in limits if limit.everywhere), ""]
    reasons = {limit.key: limit.reason for limit in reversed(limits) if limit.reason}
    lines += ["%d. %s" % (number, reasons[key]) for key, number in numbers.items()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return [row for row in rows.values() if row not in old]


def section(lines, name):
    """The lines of a file between the heading and the next one; the first heading has lost its ##."""
    begun, found = False, []
    for line in lines:
        if line in (name, "## " + name):
            begun = True
        elif line.startswith("## "):
            begun = False
        elif begun:
            found.append(line)
    return found
