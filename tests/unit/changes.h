/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is staged in a store under test, told as text. */
#pragma once

#include "store.h"

#include "store/changes.h"

static inline int add_change(void *self, const struct change *change)
{
	text_add(self, "%c %s%s%s\n", change->kind, change->path, change->old ? " < " : "",
		 change->old ? change->old : "");
	return 0;
}

/* What is staged, a line a change; the counts agree with it, and so does everything else in the store. */
static inline void assert_changes(struct store *store, const char *want)
{
	struct text text AUTO_TEXT = { 0 };
	struct changes_count count;
	uint64_t lines = 0;

	assert_int_equal(changes_list(store->tree, add_change, &text), 0);
	assert_string_equal(text.data ? text.data : "", want);
	for (; *want; want++)
		lines += *want == '\n';
	for (int i = 0; i < 2; i++) { /* the second answer is remembered */
		assert_int_equal(changes_count(store->tree, &count), 0);
		assert_int_equal(count.added + count.modified + count.deleted + count.renamed, lines);
	}
	store_check(store);
}
