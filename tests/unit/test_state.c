/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State directories: the same disc finds its own again, another one never does. */
#include "unit.h"

#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char root[] = "/tmp/discfs-state-XXXXXX";

static const uint8_t one[FINGERPRINT_SIZE] = { 1 }, two[FINGERPRINT_SIZE] = { 2 };

static void open_state(struct state *state, const uint8_t *fingerprint)
{
	struct reason why = { 0 };

	assert_int_equal(state_open(state, root, fingerprint, &why), 0);
}

static void test_found_again(void **state)
{
	struct state first, other, again;
	struct reason why = { 0 };

	open_state(&first, one);
	open_state(&other, two);
	assert_string_not_equal(first.id, other.id);
	assert_int_equal(state_open(&again, root, one, &why), -EBUSY);
	assert_non_null(strstr(why.text, "mounted"));
	state_close(&again);
	state_close(&other);
	state_close(&first);
	open_state(&again, one);
	assert_string_equal(again.id, first.id);
	state_close(&again);
}

/* A commit: the coming fingerprint leads here before the old one goes. */
static void test_links(void **state)
{
	static const uint8_t next[FINGERPRINT_SIZE] = { 3 };
	struct state before, after;
	struct reason why = { 0 };

	open_state(&before, one);
	assert_int_equal(state_link(&before, next, &why), 0);
	assert_int_equal(state_link(&before, next, &why), 0);
	state_unlink(&before, one);
	state_close(&before);
	open_state(&after, next);
	assert_string_equal(after.id, before.id);
	state_close(&after);
	open_state(&after, one);
	assert_string_not_equal(after.id, before.id);
	state_close(&after);
}

static void test_renew(void **state)
{
	struct state before, after;
	struct reason why = { 0 };
	char id[sizeof before.id];

	open_state(&before, two);
	memcpy(id, before.id, sizeof id);
	assert_int_equal(state_renew(&before, two, &why), 0);
	assert_string_not_equal(before.id, id);
	memcpy(id, before.id, sizeof id);
	state_close(&before);
	open_state(&after, two);
	assert_string_equal(after.id, id);
	state_close(&after);
}

static void test_directory_removed(void **state)
{
	struct state before, after;
	char command[sizeof before.path + 16];

	open_state(&before, two);
	state_close(&before);
	snprintf(command, sizeof command, "rm -r '%s'", before.path);
	assert_int_equal(system(command), 0);
	open_state(&after, two);
	state_close(&after);
}

static int start(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int stop(void **state)
{
	char command[100];

	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_directory_removed),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
