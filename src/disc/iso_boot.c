/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TABLE_OPTION 1 /* el_torito_set_isolinux_options: with a boot information table */

struct attaching {
	IsoImage *image;
	const struct plan *plan;
	IsoNode **references;
	unsigned at;	   /* of plan->boots */
	char *path;	   /* WAS_LIMIT + 2 bytes */
	IsoNode *nameless; /* stands in the tree as long as libisofs looks for it by name */
	struct reason *why;
};

/* libisofs says what is wrong, but not with what. */
static int failed(const struct attaching *attaching, int code)
{
	struct reason inner = { 0 };
	int got = iso_lib_failed(code, "it can't be attached", &inner);

	return reason_set(
	    attaching->why, -got,
	    "boot image %u (%.200s): %.180s: attach another, or go on without it (discfsctl boot)",
	    attaching->at + 1, attaching->path, inner.text);
}

/* A name that the root doesn't have. */
static int add_nameless(struct attaching *attaching, IsoNode *node)
{
	IsoDir *root = iso_image_get_root(attaching->image);
	char name[32];
	int code = 0;

	for (unsigned number = 0;; number++) {
		snprintf(name, sizeof name, "boot-image.%u", number);
		code = iso_node_set_name(node, name);
		if (code >= 0)
			code = iso_dir_add_node(root, node, ISO_REPLACE_NEVER);
		if (code != (int)ISO_NODE_NAME_NOT_UNIQUE)
			break;
	}
	if (code < 0)
		return failed(attaching, code);
	snprintf(attaching->path, WAS_LIMIT, "/%s", name);
	attaching->nameless = node;
	return 0;
}

/* libisofs wants a path of the image, one at a time. */
static int find_path(struct attaching *attaching, const struct plan_boot *boot)
{
	IsoNode **reference = boot->reference ? &attaching->references[boot->reference - 1] : NULL;
	int got;

	attaching->path[0] = '\0'; /* for whoever says what is wrong */
	if (!reference) {
		attaching->path[0] = '/';
		plan_path(attaching->plan, boot->node, attaching->path + 1, WAS_LIMIT);
		return 0;
	}
	got = add_nameless(attaching, *reference);
	if (got == 0)
		*reference = NULL; /* the tree owns it */
	return got;
}

static void take_out(IsoNode *node)
{
	if (node && iso_node_take(node) >= 0)
		iso_node_unref(node);
}

static int add_first(struct attaching *attaching, enum eltorito_boot_media_type type, ElToritoBootImage **ret)
{
	IsoBoot *catalog = NULL;
	char name[32];
	int code = 0;

	for (unsigned number = 0;; number++) {
		snprintf(name, sizeof name, "/boot-catalog.%u", number);
		code = iso_image_set_boot_image(attaching->image, attaching->path, type, name, ret);
		if (code != (int)ISO_NODE_NAME_NOT_UNIQUE)
			break;
	}
	if (code >= 0)
		code = iso_image_get_boot_image(attaching->image, NULL, NULL, &catalog);
	if (code >= 0)
		take_out((IsoNode *)catalog);
	return code;
}

static enum eltorito_boot_media_type type_of(const struct boot_entry *entry)
{
	return !entry->media		       ? ELTORITO_NO_EMUL
	       : entry->media <= BOOT_FLOPPIES ? ELTORITO_FLOPPY_EMUL
					       : ELTORITO_HARD_DISC_EMUL;
}

/* libisofs takes what has 16 bits for signed, and adds 4 KiB instead of 64 to what is negative then (1.5.4).
 */
static void set_segment(ElToritoBootImage *image, uint16_t segment)
{
	el_torito_set_load_seg(image, (short)segment);
	if ((uint16_t)el_torito_get_load_seg(image) != segment)
		el_torito_set_load_seg(image, (short)(segment - 0x1000));
}

static void set_entry(ElToritoBootImage *image, const struct plan_boot *boot, bool tabled)
{
	struct boot_entry entry = boot->entry;

	el_torito_set_boot_platform_id(image, entry.platform);
	set_segment(image, entry.load_segment);
	el_torito_set_load_size(image, (short)entry.load_size);
	el_torito_set_id_string(image, entry.id);
	el_torito_set_selection_crit(image, entry.criteria);
	if (!entry.bootable)
		el_torito_set_no_bootable(image);
	if (tabled)
		el_torito_set_isolinux_options(image, TABLE_OPTION, 0);
}

static int attach(struct attaching *attaching, const struct plan_boot *boot)
{
	enum eltorito_boot_media_type type = type_of(&boot->entry);
	ElToritoBootImage *image = NULL;
	int code, got = find_path(attaching, boot);

	if (got < 0)
		return got;
	code = attaching->at ? iso_image_add_boot_image(attaching->image, attaching->path, type, 0, &image)
			     : add_first(attaching, type, &image);
	if (code >= 0)
		set_entry(image, boot,
			  boot->node != NO_NAME && attaching->plan->nodes.items[boot->node].tabled);
	take_out(attaching->nameless);
	attaching->nameless = NULL;
	return code < 0 ? failed(attaching, code) : 0;
}

int iso_boot_attach(IsoImage *image, const struct plan *plan, IsoNode **references, struct reason *why)
{
	struct attaching attaching = { .image = image, .plan = plan, .references = references, .why = why };
	int got = 0;

	if (plan->boots.count == 0)
		return 0;
	attaching.path = malloc(WAS_LIMIT + 2);
	if (!attaching.path)
		return reason_set(why, ENOMEM, "out of memory");
	for (; got == 0 && attaching.at < plan->boots.count; attaching.at++)
		got = attach(&attaching, &plan->boots.items[attaching.at]);
	free(attaching.path);
	return got;
}
