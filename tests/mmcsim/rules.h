/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults by a rule file: one rule a line, `WHEN… DO… [times=N]` (N: how often it fires, 1 unless told, 0 =
 * always).
 *
 *   WHEN  op=0x2a | op=0x5b/2 (byte 2 too) | command=120 (of all, counted from when the rules were written)
 *         nth=3 (the third that matches) | lba=5000 or lba=5000..5999 | wrote=2000 (blocks since then)
 *         reading | writing (with lba=: whatever touches those sectors, also when the cache goes out)
 *   DO    sense=3/0c/00 [deferred] | not-ready=5 (that many commands get 2/04/01)
 *         remove (by force) | button | swap=PATH | power-loss | kill (SIGKILL to the caller) | delay=MS |
 * open (tray) damage (the sectors stay unreadable)
 * '#' begins a comment. Several rules may fire at once; all do. `mmcsim check` says what's wrong with a file.
 */
#pragma once

#include "drive.h"

/* Before a command: true when it must not run, with its sense. */
bool rules_before(struct drive *drive, const struct command *command, struct sense *ret);
/* At a sector that goes to or comes from the medium: true when it fails. */
bool rules_sector(struct drive *drive, uint32_t lba, bool writing, struct sense *ret);
/* After a command that wrote: rules with wrote=. */
void rules_after(struct drive *drive, const struct command *command);
/* With the drive. */
void rules_close(struct drive *drive);
/* For people: NULL, or what's wrong with which line (static text). */
const char *rules_check(const char *path);
