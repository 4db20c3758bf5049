/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

struct bytes {
	uint8_t data[4 + 8 * 10];
	size_t length;
};

static void start(struct bytes *acl)
{
	put_le32(acl->data, POSIX_ACL_XATTR_VERSION);
	acl->length = 4;
}

static void add(struct bytes *acl, unsigned tag, unsigned perm, uint32_t id)
{
	put_le32(acl->data + acl->length, tag | perm << 16);
	put_le32(acl->data + acl->length + 4, id);
	acl->length += 8;
}

static struct bytes minimal(unsigned user, unsigned group, unsigned other)
{
	struct bytes acl = { .length = 0 };

	start(&acl);
	add(&acl, ACL_USER_OBJ, user, UINT32_MAX);
	add(&acl, ACL_GROUP_OBJ, group, UINT32_MAX);
	add(&acl, ACL_OTHER, other, UINT32_MAX);
	return acl;
}

static struct bytes extended(unsigned mask)
{
	struct bytes acl = { .length = 0 };

	start(&acl);
	add(&acl, ACL_USER_OBJ, 7, UINT32_MAX);
	add(&acl, ACL_USER, 6, 10);
	add(&acl, ACL_USER, 4, 20);
	add(&acl, ACL_GROUP_OBJ, 5, UINT32_MAX);
	add(&acl, ACL_GROUP, 7, 30);
	add(&acl, ACL_MASK, mask, UINT32_MAX);
	add(&acl, ACL_OTHER, 4, UINT32_MAX);
	return acl;
}

static void test_valid(void **state)
{
	struct bytes acl = extended(6), plain = minimal(7, 5, 5);

	assert_true(acl_valid(acl.data, acl.length));
	assert_true(acl_valid(plain.data, plain.length));
	for (size_t length = 0; length < acl.length; length++) /* cut anywhere, it lacks ACL_OTHER at least */
		assert_false(acl_valid(acl.data, length));
	assert_false(acl_valid(acl.data, acl.length + 1));
}

static void test_damaged(void **state)
{
	struct bytes acl = extended(6);

	put_le32(acl.data, 1); /* version */
	assert_false(acl_valid(acl.data, acl.length));
	acl = minimal(7, 5, 5);
	add(&acl, ACL_OTHER, 5, UINT32_MAX); /* twice */
	assert_false(acl_valid(acl.data, acl.length));
	acl = minimal(7, 8, 5); /* no such permission */
	assert_false(acl_valid(acl.data, acl.length));
	start(&acl);
	add(&acl, ACL_USER_OBJ, 7, UINT32_MAX);
	add(&acl, ACL_USER, 7, 10); /* named entries need a mask */
	add(&acl, ACL_GROUP_OBJ, 7, UINT32_MAX);
	add(&acl, ACL_OTHER, 7, UINT32_MAX);
	assert_false(acl_valid(acl.data, acl.length));
	start(&acl);
	add(&acl, ACL_GROUP_OBJ, 7, UINT32_MAX); /* out of order */
	add(&acl, ACL_USER_OBJ, 7, UINT32_MAX);
	add(&acl, ACL_OTHER, 7, UINT32_MAX);
	assert_false(acl_valid(acl.data, acl.length));
	start(&acl);
	add(&acl, ACL_USER_OBJ, 7, UINT32_MAX);
	add(&acl, 3, 7, 10); /* two tags at once */
	add(&acl, ACL_GROUP_OBJ, 7, UINT32_MAX);
	add(&acl, ACL_OTHER, 7, UINT32_MAX);
	assert_false(acl_valid(acl.data, acl.length));
}

static void test_mode(void **state)
{
	struct bytes acl = extended(6), plain = minimal(7, 5, 1);
	bool is_minimal;

	assert_int_equal(acl_mode(acl.data, acl.length, &is_minimal),
			 0764); /* the mask is the group's bits */
	assert_false(is_minimal);
	assert_int_equal(acl_mode(plain.data, plain.length, &is_minimal), 0751);
	assert_true(is_minimal);
	acl_set_mode(acl.data, acl.length, 0610);
	assert_int_equal(acl_mode(acl.data, acl.length, &is_minimal), 0610);
	assert_true(acl_valid(acl.data, acl.length));
	acl_set_mode(plain.data, plain.length, 0604);
	assert_int_equal(acl_mode(plain.data, plain.length, &is_minimal), 0604);
}

/* What the creator asks for and what the directory grants, both. */
static void test_inherit(void **state)
{
	struct bytes acl = extended(6), plain = minimal(7, 5, 5);
	bool is_minimal;

	assert_int_equal(acl_inherit(acl.data, acl.length, 0666), 0664);
	assert_int_equal(acl_mode(acl.data, acl.length, &is_minimal), 0664);
	assert_int_equal(acl_inherit(plain.data, plain.length, 0777), 0755);
	assert_int_equal(acl_inherit(plain.data, plain.length, 0600), 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_inherit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
