# SPDX-License-Identifier: GPL-2.0-or-later
# For Nautilus, with python3-nautilus: a submenu on discs that discfs has mounted.
import subprocess

from gi.repository import GObject, Nautilus

ACTION = "discfs-action"
VERBS = (("burn", "Burn staged changes"), ("discard", "Discard staged changes"), ("show", "Show disc"))


def is_on_disc(path):
    try:
        return subprocess.run([ACTION, "on-disc", path], timeout=2, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class Discfs(GObject.GObject, Nautilus.MenuProvider):
    def act(self, _item, verb, path):
        subprocess.Popen([ACTION, verb, path])

    def menu(self, file):
        path = file.get_location().get_path()
        if not path or not is_on_disc(path):
            return []
        menu = Nautilus.Menu()
        for verb, label in VERBS:
            item = Nautilus.MenuItem(name=f"Discfs::{verb}", label=label)
            item.connect("activate", self.act, verb, path)
            menu.append_item(item)
        disc = Nautilus.MenuItem(name="Discfs::disc", label="Disc")
        disc.set_submenu(menu)
        return [disc]

    # Before version 4 there is a window before the last argument.
    def get_file_items(self, *args):
        return self.menu(args[-1][0]) if len(args[-1]) == 1 else []

    def get_background_items(self, *args):
        return self.menu(args[-1])
