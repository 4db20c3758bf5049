#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs command lines in a real pseudo terminal, one after the other, and draws what the terminal shows at the end as SVG.

record.py [--columns N] FILE: a command line each line. Fails with the first command that fails.
"""
import argparse
import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios

ROWS = 200
COLOURS = {31: "c1", 32: "c2", 33: "c3", 34: "c4", 35: "c5", 36: "c6", 90: "c0", 2: "c0"}
CELL, LINE, EDGE = 8.4, 18, 16
STYLE = """
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #24292f; white-space: pre }
.page { fill: #f6f8fa; stroke: #d0d7de }
.b { font-weight: bold } .d { fill: #6e7781 }
.c0 { fill: #6e7781 } .c1 { fill: #cf222e } .c2 { fill: #1a7f37 } .c3 { fill: #9a6700 }
.c4 { fill: #0969da } .c5 { fill: #8250df } .c6 { fill: #1b7c83 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117; stroke: #30363d } .d, .c0 { fill: #8b949e }
.c1 { fill: #ff7b72 } .c2 { fill: #3fb950 } .c3 { fill: #d29922 } .c4 { fill: #58a6ff } .c5 { fill: #bc8cff } .c6 { fill: #39c5cf }
}
"""


class Screen:
    """What a terminal makes of the bytes that programs write: lines of cells (character, classes)."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column, self.style = columns, [[]], 0, 0, ()

    def put(self, char):
        if self.column == self.columns:
            self.down()
            self.column = 0
        line = self.lines[self.row]
        line.extend([(" ", ())] * (self.column + 1 - len(line)))
        line[self.column] = (char, self.style)
        self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])

    def colour(self, numbers):
        for number in numbers or [0]:
            if number == 0:
                self.style = ()
            elif number in (39, 22):
                self.style = tuple(c for c in self.style if (c == "b") != (number == 39))
            elif number == 1:
                self.style += ("b",)
            elif number in COLOURS:
                self.style += (COLOURS[number],)

    def control(self, numbers, letter):
        count = numbers[0] if numbers else 0
        if letter == "m":
            self.colour(numbers)
        elif letter == "K" and count in (0, 2):
            del self.lines[self.row][0 if count == 2 else self.column:]
        elif letter == "A":
            self.row = max(0, self.row - max(1, count))
        elif letter == "J" and count == 0:
            del self.lines[self.row][self.column:], self.lines[self.row + 1:]
        elif letter not in "hl":
            sys.exit(f"record.py: a sequence that isn't known here: {numbers} {letter}")

    def feed(self, text):
        for match in re.finditer(r"\x1b\[\??([0-9;]*)([A-Za-z])|(.)", text, re.S):
            char = match[3]
            if not char:
                self.control([int(n or 0) for n in match[1].split(";")] if match[1] else [], match[2])
            elif char == "\r":
                self.column = 0
            elif char == "\n":
                self.down()
            elif char == "\b":
                self.column = max(0, self.column - 1)
            elif char == "\t":
                self.column = self.column // 8 * 8 + 8
            elif char >= " ":
                self.put(char)


def run(command, columns):
    """What the command wrote to its terminal."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        os.execvp("bash", ["bash", "-c", command])
    said = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit(f"record.py: {command}:\n{said.decode()}")
    return said.decode()


def spans(line):
    """Pieces of a line that look the same: column, text, classes."""
    start = 0
    while start < len(line):
        end = start
        while end < len(line) and line[end][1] == line[start][1]:
            end += 1
        text = "".join(char for char, _ in line[start:end])
        yield end - len(text.lstrip()), text.strip(), line[start][1]
        start = end


def draw(screen):
    lines = screen.lines
    while lines and not lines[-1]:
        lines.pop()
    width, height = round(screen.columns * CELL) + 2 * EDGE, len(lines) * LINE + 2 * EDGE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">')
    print("<!-- SPDX-License-Identifier: GPL-2.0-or-later; made by docs/images/make.sh -->")
    print(f'<style>{STYLE}</style>\n<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>')
    for number, line in enumerate(lines):
        y = EDGE + (number + 1) * LINE - 5
        for column, text, classes in spans(line):
            if text:
                look = f' class="{" ".join(classes)}"' if classes else ""
                # Spaces in a row count, and not everything that shows SVG knows white-space.
                shown = html.escape(text).replace(" ", "\u00a0")
                x, length = EDGE + column * CELL, len(text) * CELL
                print(f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}"{look}>{shown}</text>')
    print("</svg>")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("file")
    wish = parser.parse_args()
    screen = Screen(wish.columns)
    with open(wish.file, encoding="utf-8") as file:
        for command in file.read().splitlines():
            screen.feed("\x1b[90m$\x1b[0m \x1b[1m" + command + "\x1b[0m\r\n" + run(command, wish.columns))
    draw(screen)


main()
