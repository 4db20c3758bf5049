#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writers of one SQLite database, each a process of its own.

writers.py create DB delete|wal        an empty table, with that journal
writers.py many DB WRITERS ROWS        each adds ROWS rows, in transactions of five; half of them read and update, too
writers.py one DB FIRST                adds rows one by one from number FIRST, and says each when it is committed
writers.py check DB                    integrity, the journal's mode; of the rows of many: count, how many are missing, sum
"""
import os
import sqlite3
import sys


def connect(path):
    db = sqlite3.connect(path, timeout=100, isolation_level=None)
    # With FULL the journal's removal, which is the commit, isn't synced: a power cut may take the last transaction back.
    db.execute("PRAGMA synchronous=EXTRA")
    return db


def create(path, mode):
    db = connect(path)
    assert db.execute("PRAGMA journal_mode=" + mode).fetchone()[0] == mode
    db.execute("CREATE TABLE entry(writer INTEGER, number INTEGER, text TEXT, PRIMARY KEY(writer, number))")
    db.execute("CREATE INDEX by_text ON entry(text)")
    db.execute("CREATE TABLE total(rows INTEGER)")
    db.execute("INSERT INTO total VALUES(0)")


def add(path, writer, rows):
    db = connect(path)
    for first in range(0, rows, 5):
        db.execute("BEGIN IMMEDIATE")
        for number in range(first, first + 5):
            db.execute("INSERT INTO entry VALUES(?, ?, ?)", (writer, number, "%d of %d " % (number, writer) * 20))
        db.execute("UPDATE total SET rows = rows + 5")
        db.execute("COMMIT")
        if writer % 2:
            assert db.execute("SELECT count(*) - (SELECT rows FROM total) FROM entry").fetchone()[0] == 0


def many(path, writers, rows):
    children = []
    for writer in range(writers):
        child = os.fork()
        if child == 0:
            try:
                add(path, writer, rows)
                os._exit(0)
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(1)
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


def one(path, number):
    db = connect(path)
    while True:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO entry VALUES(-1, ?, ?)", (number, "x" * 5000))
        db.execute("UPDATE total SET rows = rows + 1")
        db.execute("COMMIT")
        print(number, flush=True)
        number += 1


def check(path):
    db = connect(path)
    print(db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("PRAGMA journal_mode").fetchone()[0],
          *db.execute("SELECT count(*), (SELECT rows FROM total) - (SELECT count(*) FROM entry), "
                      "sum(writer * 1000 + number) FROM entry WHERE writer >= 0").fetchone())


def main():
    word, path, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if word == "create":
        create(path, rest[0])
    elif word == "many":
        many(path, int(rest[0]), int(rest[1]))
    elif word == "one":
        one(path, int(rest[0]))
    else:
        check(path)


main()
