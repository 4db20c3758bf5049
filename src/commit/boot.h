/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot images of the next session: what the disc has, and what is staged (store/boot.h), come to one
 * list. This is the only place where that is decided.
 *
 * - An image that is staged takes the place of those that the disc has for that platform. Of the others all
 *   are kept.
 * - An image follows its file wherever that is renamed to. A file that was replaced by another of the same
 *   name is that one from then on, as is one whose content was changed.
 * - Where the file is gone, or is litter now, what the disc has stays bootable without a name; what was
 * staged can't be had, and there's no session without it.
 *
 * The disc is asked at each time: the record behind its primary descriptor, the catalogue, and the first
 * sector of each image. */
#pragma once

#include "commit/disc.h"
#include "model/boot.h"
#include "proc/burn.h"
#include "store/boot.h"

struct boot_image {
	struct boot_entry entry;
	uint64_t ino;	  /* 0: there's no file of it, and it stays where it is */
	uint64_t size;	  /* of the file */
	bool table;	  /* it has a boot information table, or gets one */
	bool again;	  /* which is made anew, so that the image is recorded again */
	bool staged;	  /* the next session's alone */
	struct text path; /* of the file */
};

struct boot_images {
	VEC(struct boot_image) list;
	uint32_t catalog; /* its sector on the disc */
	bool anew;	  /* the catalogue isn't what the disc has, or an image must be recorded again */
};

void boot_images_clear(struct boot_images *images);
/* What the disc has. 0 or -errno with why. */
int boot_look(struct disc *disc, struct boot_images *ret, struct reason *why);
/* What the session of generation gen gets; GEN_NEWEST: as things are now. */
int boot_decide(struct disc *disc, uint32_t gen, struct boot_images *ret, struct reason *why);
/* Tells a burn worker, behind the last node. */
int boot_send(struct boot_images *images, struct burn *burn, struct reason *why);

/* Stages the file at path, or the node ino where path is NULL. -ENOENT, -EISDIR, -ELOOP (a symlink), -EINVAL
 * (another thing), -ENODATA (it's empty), -EFBIG, -ERANGE (more is to be loaded than it has, or than can be),
 * -EMEDIUMTYPE (it's compressed), -EOPNOTSUPP (it's litter, and isn't burned), with why. */
struct boot_request {
	enum boot_slot slot;
	const char *path; /* with or without a leading slash */
	uint64_t ino;
	uint32_t load_size; /* 0: the default */
	bool table;
};
int boot_attach(struct disc *disc, const struct boot_request *request, struct reason *why);
/* The platform gets none. */
int boot_detach(struct disc *disc, enum boot_slot slot);
/* No image at all (none), or those that the disc has. */
int boot_reset(struct disc *disc, bool none);

/* What they take in the next session, for the reckoning of room. */
void boot_measure(struct disc *disc);
