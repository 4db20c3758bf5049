/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/place.h"
#include "ctl/treat.h"
#include "ctl/umount.h"

#include <stdio.h>
#include <string.h>

static int eject_report(const struct place *place, bool json)
{
	AUTO_TEXT struct text text = { 0 };

	if (json) {
		text_add(&text, "{\"op\":\"eject\",\"drive\":");
		text_add_json(&text, place->path, strlen(place->path));
		text_add(&text, ",\"unmounted\":");
		if (place->mounted)
			text_add_json(&text, place->mount.root, strlen(place->mount.root));
		else
			text_add(&text, "null");
		text_add(&text, "}");
	} else {
		text_add_escaped(&text, place->path, strlen(place->path));
		text_add(&text, "%s",
			 place->is_drive
			     ? " is open"
			     : " is an image file: it is unmounted, and there is no tray to open");
	}
	puts(text.failed ? "" : text.data);
	return EXIT_CODE_DONE;
}

int command_eject(int argc, char **argv)
{
	const struct verb_task task = { .op = DRIVE_EJECT };
	CLEANUP(look_clear) struct look look = { 0 };
	bool json = false;
	const struct option_spec options[] = { { "json", 0, .flag = &json }, { 0 } };
	struct place place = { 0 };
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("eject", count ? argv[1] : NULL, true, &place);
	if (!code)
		code = place_must_be_here(&place);
	if (!code && !place.mounted && !place.is_drive)
		code = ctl_fail(EXIT_CODE_SYSTEM, "%s is an image file, and not mounted", place.path);
	if (!code && place.mounted && !place.discfs)
		code = place_is_mounted(&place);
	if (!code && place.mounted)
		code = umount_disc(&place.mount, false, json);
	if (!code && place.is_drive)
		code = treat_drive(place.path, &task, "ejecting", true, &look);
	return code ? code : eject_report(&place, json);
}

int command_load(int argc, char **argv)
{
	const struct verb_task task = { .op = DRIVE_LOAD };
	CLEANUP(look_clear) struct look look = { 0 };
	AUTO_TEXT struct text text = { 0 };
	bool json = false;
	const struct option_spec options[] = { { "json", 0, .flag = &json }, { 0 } };
	struct place place = { 0 };
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("load", count ? argv[1] : NULL, false, &place);
	if (!code && !place.is_drive)
		code = ctl_fail(EXIT_CODE_SYSTEM, "%s is an image file: it has no tray", place.path);
	if (!code && place.mounted)
		code = ctl_fail(EXIT_CODE_BUSY, "%s is mounted on %s: its tray is closed", place.path,
				place.mount.root);
	if (!code)
		code = treat_drive(place.path, &task, "loading", true, &look);
	if (code)
		return code;
	if (json)
		look_to_json(&look, &text);
	else
		look_to_line(&look, &text);
	puts(text.failed ? "" : text.data);
	return look.state == LOOK_EMPTY ? EXIT_CODE_NO_MEDIUM : EXIT_CODE_DONE;
}
