/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users can ask of a mount beyond files: commands, status, changes. The same for .discfs/ and the
 * xattrs. */
#pragma once

#include "base/text.h"
#include "commit/commit.h"
#include "commit/pasts.h"
#include "store/discard.h"

/* How a mount comes to its end by itself. */
struct control_end {
	bool (*is_busy)(void *self); /* files are open for writing */
	void (*begin)(void *self);   /* as a signal would; returns at once */
	void *self;
};

struct control {
	struct disc *disc;
	struct commit *commit;
	struct pasts *pasts;
	const char *mountpoint; /* borrowed */
	bool commit_on_unmount;
	const char *umount_mode;	   /* the word of -o umount=; borrowed */
	const struct discard_sink *caches; /* the kernel's; NULL: not mounted */
	const struct control_end *end;	   /* NULL: not mounted */
};

/* Words in front of a command's argument: hands each that begins with -- to take, up to a -- alone. Returns
 * what follows them in *rest. 0, or what take gave. */
typedef int control_take_fn(void *self, char *word);
int control_options(char **rest, control_take_fn *take, void *self);
/* Runs command lines as they are written to .discfs/control; the first that fails ends it. 0 or -errno. */
int control_run(struct control *control, const char *lines, size_t length);
/* One commit from request to result. 0 or -errno. */
int control_commit(struct control *control, const struct commit_wish *wish);

/* The contents of the virtual files; 0 or -errno. */
int control_status_text(struct control *control, struct text *ret);
int control_status_json(struct control *control, struct text *ret);
int control_changes_text(struct control *control, struct text *ret);
int control_changes_json(struct control *control, struct text *ret);
/* The sessions with what each changed, where that's known, and the commits that failed. */
int control_log(struct control *control, struct text *ret);
/* The same, and what isn't known is found out: sessions are imported for it. */
int control_log_stat(struct control *control, struct text *ret);
int control_trial_text(struct control *control, struct text *ret);
int control_trial_json(struct control *control, struct text *ret);
/* The disc as a picture (see map.h), and the numbers that it's drawn from. */
int control_map_svg(struct control *control, struct text *ret);
int control_map_json(struct control *control, struct text *ret);
/* Boot images: what the disc has, and what the next session gets (commit/boot.h). */
int control_boot_text(struct control *control, struct text *ret);
int control_boot_json(struct control *control, struct text *ret);
/* A line for each image, with head before it; or an array. */
void control_boot_lines(struct boot_images *images, const char *head, struct text *text);
void control_boot_array(struct boot_images *images, struct text *text);
/* Commands; rest: what follows the word. */
int control_boot(struct control *control, char *rest);
int control_boot_none(struct control *control, char *rest);
int control_boot_keep(struct control *control, char *rest);
/* user.discfs.boot of a file: "bios" or "efi". */
int control_boot_get(struct control *control, uint64_t ino, struct text *ret);
int control_boot_set(struct control *control, uint64_t ino, const char *value, size_t length);
int control_boot_remove(struct control *control, uint64_t ino);
/* Of bodies that the disc records no sum of: "sector size sha256" a line. Written to, it keeps what it's
 * told of those that it doesn't know yet. */
int control_sums(struct control *control, struct text *ret);
int control_keep_sums(struct control *control, const char *lines, size_t length);
/* The running work as one line, or "idle". */
int control_progress_text(struct control *control, struct text *ret);
