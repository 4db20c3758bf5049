/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/speed.h"

#include <errno.h>

static const struct {
	const char *word, *medium;
	int result; /* kB/s, or -errno */
} cases[] = {
	{ "4x", "cd-r", 706 },
	{ "1x", "cd", 176 },
	{ "52X", "cd-rw", 9173 },
	{ "2.4x", "dvd+r", 3324 },
	{ "16x", "dvd-r", 22160 },
	{ "1x", "dvd-ram", 1385 },
	{ "2x", "bd-re", 8991 },
	{ "0.5x", "bd-xl", 2248 },
	{ "5540", "dvd+rw", 5540 },
	{ "5540", "image", 5540 },
	{ "1", "", 1 },
	{ "1000000", "cd", 1000000 },
	{ "1000001", "cd", -EINVAL },
	{ "99999999999999999999999999x", "cd", -EINVAL },
	{ "99999999999999999999999999", "cd", -EINVAL },
	{ "0", "cd", -EINVAL },
	{ "0x", "cd", -EINVAL },
	{ "0.001x", "cd", -EINVAL },
	{ "0x10", "cd", -EINVAL },
	{ "", "cd", -EINVAL },
	{ "x", "cd", -EINVAL },
	{ "-4x", "cd", -EINVAL },
	{ "+4x", "cd", -EINVAL },
	{ " 4x", "cd", -EINVAL },
	{ "4x ", "cd", -EINVAL },
	{ "4 x", "cd", -EINVAL },
	{ "4xx", "cd", -EINVAL },
	{ "4.x", "cd", -EINVAL },
	{ ".5x", "cd", -EINVAL },
	{ "1.2.3x", "cd", -EINVAL },
	{ "1e3", "cd", -EINVAL },
	{ "inf", "cd", -EINVAL },
	{ "4kB/s", "cd", -EINVAL },
	{ "4x", "image", -EMEDIUMTYPE },
	{ "4x", "custom", -EMEDIUMTYPE },
	{ "4x", "", -EMEDIUMTYPE },
};

static void test_speeds(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t kbps = 77;
		int got = speed_parse(cases[i].word, cases[i].medium, &kbps);

		print_message("'%s' on '%s'\n", cases[i].word, cases[i].medium);
		assert_int_equal(got < 0 ? got : (int)kbps, cases[i].result);
		if (got < 0)
			assert_int_equal(kbps, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_speeds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
