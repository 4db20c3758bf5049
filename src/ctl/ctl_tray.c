/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/place.h"
#include "ctl/treat.h"
#include "ctl/umount.h"
#include "ctl/work.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Root that came by sudo is who called it. */
static uid_t caller(void)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;

	return sudo ? (uid_t)strtoul(sudo, NULL, 10) : geteuid();
}

/* A drive's name says nothing of whose work is on what is in it. */
static int may_unmount(const struct place *place, bool by_drive)
{
	AUTO_JSON struct json status = { 0 };
	const struct passwd *owner = getpwuid(place->mount.owner);
	char id[24];
	int code;

	snprintf(id, sizeof id, "user %u", (unsigned)place->mount.owner);
	if (place->mount.owner != caller() && place->mount.owner != geteuid())
		return ctl_fail(EXIT_CODE_BUSY,
				"%s is mounted on %s by %s: --force unmounts it all the same; what is staged "
				"there stays staged",
				place->path, place->mount.root, owner ? owner->pw_name : id);
	code = by_drive ? target_status(&place->mount, &status) : EXIT_CODE_DONE;
	if (!code && by_drive && !json_has(&status, "$.work") && work_staged(&status))
		return ctl_fail(EXIT_CODE_BUSY,
				"%s is mounted on %s, and what is staged there isn't burned: commit it, or "
				"say --force, and it stays staged until the disc comes back",
				place->path, place->mount.root);
	return code;
}

int command_eject(int argc, char **argv)
{
	const struct verb_task task = { .op = DRIVE_EJECT };
	CLEANUP(look_clear) struct look look = { 0 };
	struct umount_wish wish = { 0 };
	const struct option_spec options[] = {
		{ "force", 0, .flag = &wish.force },
		{ "json", 0, .flag = &wish.quiet },
		{ 0 },
	};
	struct place place = { 0 };
	char other[PATH_MAX];
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("eject", count ? argv[1] : NULL, true, &place);
	if (!code)
		code = place_must_be_here(&place);
	if (!code && !place.mounted && !place.is_drive)
		code = ctl_fail(EXIT_CODE_SYSTEM, "%s is an image file, and not mounted", place.path);
	if (!code && place.mounted && (!place.discfs || place.mount.elsewhere))
		code = place_is_mounted(&place);
	if (!code && place.mounted && target_has_twin(&place.mount, other))
		code = ctl_fail(EXIT_CODE_BUSY, "%s is mounted on %s, too: unmount it there first",
				place.path, other);
	if (!code && place.mounted && !wish.force)
		code = may_unmount(&place, place.by_source);
	if (!code && place.mounted)
		code = umount_disc(&place.mount, &wish);
	if (!code && place.is_drive)
		code = treat_drive(place.path, &task, "ejecting", true, &look);
	return code ? code : eject_report(&place, wish.quiet);
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
	if (!code && place.mount.elsewhere)
		code = place_is_mounted(&place);
	else if (!code && place.mounted)
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
