/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot images: .discfs/boot for people, .discfs/boot.json for programs, the commands that change them, and
 * user.discfs.boot of a file. */
#include "control/control.h"

#include "base/log.h"
#include "commit/boot.h"
#include "store/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what there is ---- */

static void text_image(const struct boot_image *image, struct text *text)
{
	text_add(text, "%s", boot_platform_word(image->entry.platform));
	if (image->entry.platform != BOOT_BIOS && image->entry.platform != BOOT_EFI)
		text_add(text, "-%u", image->entry.platform);
	if (image->ino) {
		text_add(text, " /");
		text_add_escaped(text, image->path.data ? image->path.data : "", image->path.length);
	} else {
		text_add(text, " sector %u (no file)", image->entry.lba);
	}
	text_add(text, ", %u blocks%s%s\n", image->entry.load_size,
		 image->table ? ", boot information table" : "",
		 image->entry.bootable ? "" : ", switched off");
}

static void json_image(const struct boot_image *image, struct text *text)
{
	text_add(text, "{\"platform\":\"%s\",\"platform_id\":%u,\"path\":",
		 boot_platform_word(image->entry.platform), image->entry.platform);
	if (image->ino)
		text_add_json(text, image->path.data ? image->path.data : "", image->path.length);
	else
		text_add(text, "null");
	text_add(text, ",\"load_size\":%u,\"emulation\":%s,\"bootable\":%s,\"info_table\":%s,\"sector\":",
		 image->entry.load_size, image->entry.media ? "true" : "false",
		 image->entry.bootable ? "true" : "false", image->table ? "true" : "false");
	if (image->staged)
		text_add(text, "null}");
	else
		text_add(text, "%u}", image->entry.lba);
}

void control_boot_lines(struct boot_images *images, const char *head, struct text *text)
{
	vec_each (&images->list, image) {
		text_add(text, "%s", head);
		text_image(image, text);
	}
}

void control_boot_array(struct boot_images *images, struct text *text)
{
	const char *between = "[";

	vec_each (&images->list, image) {
		text_add(text, "%s", between);
		json_image(image, text);
		between = ",\n";
	}
	text_add(text, images->list.count ? "]" : "[]");
}

struct view {
	struct boot_images disc, next;
	struct reason lost; /* err: what the disc boots can't be told; */
	struct reason why;  /* nor what the next session gets */
	uint64_t staged;
};

static void view_clear(struct view *view)
{
	boot_images_clear(&view->disc);
	boot_images_clear(&view->next);
}

static int view_take(struct disc *disc, struct view *ret)
{
	struct boot_wishes wishes CLEANUP(boot_wishes_clear) = { 0 };
	int got;

	if (boot_look(disc, &ret->disc, &ret->lost) < 0)
		boot_images_clear(&ret->disc);
	(void)boot_decide(disc, GEN_NEWEST, &ret->next, &ret->why); /* why says it all */
	WITH_LOCK(&disc->tree.lock);
	got = boot_wishes_load(&disc->tree.db, GEN_NEWEST, &wishes);
	ret->staged = boot_wishes_count(&wishes);
	return got < 0 ? got : 0;
}

int control_boot_text(struct control *control, struct text *ret)
{
	struct view view CLEANUP(view_clear) = { 0 };
	int got = view_take(control->disc, &view);

	if (got < 0)
		return got;
	if (view.lost.err)
		text_add(ret, "disc: %s\n", view.lost.text);
	control_boot_lines(&view.disc, "disc: ", ret);
	if (view.why.err)
		text_add(ret, "next: %s\n", view.why.text);
	else
		control_boot_lines(&view.next, "next: ", ret);
	return ret->failed ? -ENOMEM : 0;
}

static void json_reason(const struct reason *why, struct text *text)
{
	if (why->err)
		text_add_json(text, why->text, strlen(why->text));
	else
		text_add(text, "null");
}

int control_boot_json(struct control *control, struct text *ret)
{
	struct view view CLEANUP(view_clear) = { 0 };
	int got = view_take(control->disc, &view);

	if (got < 0)
		return got;
	text_add(ret, "{\"staged\":%llu,\n\"disc\":", (unsigned long long)view.staged);
	if (control->disc->offline || view.lost.err)
		text_add(ret, "null");
	else
		control_boot_array(&view.disc, ret);
	text_add(ret, ",\n\"disc_error\":");
	json_reason(&view.lost, ret);
	text_add(ret, ",\n\"next\":");
	if (view.why.err)
		text_add(ret, "null");
	else
		control_boot_array(&view.next, ret);
	text_add(ret, ",\n\"error\":");
	json_reason(&view.why, ret);
	text_add(ret, "}\n");
	return ret->failed ? -ENOMEM : 0;
}

/* ---- what is to be ---- */

static int attach(struct control *control, const struct boot_request *request)
{
	struct reason why = { 0 };
	int ret = control->disc->read_only ? -EROFS : boot_attach(control->disc, request, &why);

	if (ret < 0 && why.err)
		log_error("%s", why.text);
	return ret;
}

static int take_option(void *self, char *word)
{
	static const char load[] = "--load-size=";
	struct boot_request *request = self;
	const char *digits = word + sizeof load - 1;

	if (strcmp(word, "--efi") == 0) {
		request->slot = BOOT_SLOT_EFI;
	} else if (strcmp(word, "--info-table") == 0) {
		request->table = true;
	} else if (strncmp(word, load, sizeof load - 1) == 0 && *digits && strlen(digits) < 8 &&
		   strspn(digits, "0123456789") == strlen(digits)) {
		request->load_size = (uint32_t)strtoul(digits, NULL, 10);
		return request->load_size ? 0 : -ERANGE;
	} else {
		return -EINVAL;
	}
	return 0;
}

/* "[--efi] [--load-size=N] [--info-table] [--] path", the path with \ooo for odd bytes. */
int control_boot(struct control *control, char *rest)
{
	struct boot_request request = { .slot = BOOT_SLOT_BIOS };
	int ret = control_options(&rest, take_option, &request);

	if (ret < 0 || !*rest)
		return ret < 0 ? ret : -EINVAL;
	text_unescape(rest);
	request.path = rest;
	return attach(control, &request);
}

int control_boot_none(struct control *control, char *rest)
{
	return *rest ? -EINVAL : control->disc->read_only ? -EROFS : boot_reset(control->disc, true);
}

int control_boot_keep(struct control *control, char *rest)
{
	return *rest ? -EINVAL : control->disc->read_only ? -EROFS : boot_reset(control->disc, false);
}

/* ---- of one file ---- */

static int find_platform(struct control *control, uint64_t ino, const struct boot_image **ret,
			 struct boot_images *images)
{
	struct reason why = { 0 };
	int got = boot_decide(control->disc, GEN_NEWEST, images, &why);

	if (got < 0)
		return got;
	vec_each (&images->list, image)
		if (image->ino == ino) {
			*ret = image;
			return 0;
		}
	return -ENODATA;
}

int control_boot_get(struct control *control, uint64_t ino, struct text *ret)
{
	struct boot_images images CLEANUP(boot_images_clear) = { 0 };
	const struct boot_image *image;
	int got = find_platform(control, ino, &image, &images);

	if (got < 0)
		return got;
	text_add(ret, "%s", boot_platform_word(image->entry.platform));
	return ret->failed ? -ENOMEM : 0;
}

int control_boot_set(struct control *control, uint64_t ino, const char *value, size_t length)
{
	struct boot_request request = { .ino = ino };

	if (length == 4 && memcmp(value, "bios", 4) == 0)
		request.slot = BOOT_SLOT_BIOS;
	else if (length == 3 && memcmp(value, "efi", 3) == 0)
		request.slot = BOOT_SLOT_EFI;
	else
		return -EINVAL;
	return attach(control, &request);
}

int control_boot_remove(struct control *control, uint64_t ino)
{
	struct boot_images images CLEANUP(boot_images_clear) = { 0 };
	const struct boot_image *image;
	int got = control->disc->read_only ? -EROFS : find_platform(control, ino, &image, &images);

	if (got < 0)
		return got;
	if (image->entry.platform != BOOT_BIOS && image->entry.platform != BOOT_EFI)
		return -EOPNOTSUPP;
	return boot_detach(control->disc, image->entry.platform == BOOT_EFI ? BOOT_SLOT_EFI : BOOT_SLOT_BIOS);
}
