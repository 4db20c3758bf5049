/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state directory of one disc: where its overlay and spool live, and whose it is.
 *
 *	ROOT/<disc-id>/{lock,overlay.db,spool}
 *	ROOT/by-fingerprint/<hex> -> ../<disc-id>
 *	ROOT/switching/<disc-id>: its head is being written, see commit/torn_head.h
 *	ROOT/to-file/<hex> -> ../<disc-id>
 * A disc is known by the fingerprint of its newest session's descriptors. A commit changes it: the link for
 *the coming fingerprint is made before the head is written, the old one removed after the publication; so a
 *disc that was changed by anybody else never meets work that was staged for another state of it. */
#pragma once

#include "base/reason.h"
#include "wire/verbs.h"

#include <stdbool.h>

struct state {
	char root[PATH_LIMIT];
	char path[PATH_LIMIT + 64];
	char id[48];
	int dir_fd;
	int lock_fd; /* flock: one daemon a disc */
};

/* Where states live: $XDG_STATE_HOME/discfs, else /var/lib/discfs for root, else ~/.local/state/discfs. */
int state_default_root(char *ret, size_t room, struct reason *why);
/* A session of that print went to a file, and leads to this state when a disc comes with it / no more. */
int state_link_away(const struct state *state, const uint8_t *print, struct reason *why);
void state_unlink_away(const struct state *state, const uint8_t *print);
/* Opens and locks the state that a session's print leads to. 1; 0: there's none, or its disc is mounted
 * already; or -errno with why. */
int state_open_away(struct state *state, const char *root, const uint8_t *print, struct reason *why);
/* Finds or makes the directory for a disc and locks it. -EBUSY: another daemon has this disc. */
int state_open(struct state *state, const char *root, const uint8_t *fingerprint, struct reason *why);
/* The one of that id, which must be there. -ENOENT, -EBUSY. After a failure, too: state_close. */
int state_open_id(struct state *state, const char *root, const char *id, struct reason *why);
void state_close(struct state *state);
/* Keeps everybody from opening a state. A descriptor to close, or -errno. */
int state_lock_root(const char *root, struct reason *why);
/* Does anybody have it open? With the root's lock held, or whoever wants to open it takes us for another. */
bool state_is_taken(const char *root, const char *id);
/* Removes it, with the links that lead to it and a spool that lies elsewhere. It stays open. */
int state_remove(const struct state *state, struct reason *why);
/* The fingerprint leads to this state from now on / no more. */
int state_link(const struct state *state, const uint8_t *fingerprint, struct reason *why);
void state_unlink(const struct state *state, const uint8_t *fingerprint);
/* Only that fingerprint leads here from now on. 0 or -errno. */
int state_unlink_others(const struct state *state, const uint8_t *fingerprint);
/* The head of this disc is about to be written / is whole. 0 or -errno with why. */
int state_mark_switch(const struct state *state, struct reason *why);
void state_unmark_switch(const struct state *state);
/* Is any, under this root? */
bool state_any_switch(const char *root);
/* Calls each with the ids of those, until it returns something else than 0, which is returned. */
int state_each_switch(const char *root, int (*each)(void *self, const char *id), void *self);
/* Opens and locks a state by its id. -EBUSY: another daemon has it. */
int state_enter(struct state *state, const char *root, const char *id, struct reason *why);
/* Does a fingerprint lead to a state? */
bool state_is_known(const char *root, const uint8_t *fingerprint);
/* Lets go of the directory that a stale link led to and makes a new one for the same disc. */
int state_renew(struct state *state, const uint8_t *fingerprint, struct reason *why);
