/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "wire/link.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct link left, right;

static int open_both(void **state)
{
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	assert_int_equal(link_open(&left, fds[0]), 0);
	assert_int_equal(link_open(&right, fds[1]), 0);
	left.timeout_ms = right.timeout_ms = 5000;
	return 0;
}

static int close_both(void **state)
{
	link_close(&left);
	link_close(&right);
	return 0;
}

static void send_number(struct link *link, uint32_t number)
{
	struct msg msg;

	msg_start(&msg, 1);
	msg_put_u32(&msg, number);
	assert_int_equal(link_send(link, &msg), 0);
	assert_null(msg.data);
}

static void assert_number(struct link *link, uint32_t number)
{
	struct msg msg;

	assert_int_equal(link_receive(link, &msg), 1);
	assert_int_equal(msg.verb, 1);
	assert_int_equal(msg_get_u32(&msg), number);
	assert_true(msg_done(&msg));
}

static void test_batches(void **state)
{
	for (uint32_t i = 0; i < 1000; i++)
		send_number(&left, i);
	assert_int_equal(link_flush(&left), 0);
	for (uint32_t i = 0; i < 1000; i++)
		assert_number(&right, i);
	/* All of them came in one packet. */
	right.timeout_ms = 0;
	assert_int_equal(link_receive(&right, &(struct msg){ 0 }), -ETIMEDOUT);
}

static void test_receive_flushes(void **state)
{
	send_number(&left, 5);
	left.timeout_ms = 0;
	assert_int_equal(link_receive(&left, &(struct msg){ 0 }), -ETIMEDOUT);
	assert_number(&right, 5);
}

static void test_timeout(void **state)
{
	right.timeout_ms = 30;
	assert_int_equal(link_receive(&right, &(struct msg){ 0 }), -ETIMEDOUT);
}

static void test_closed(void **state)
{
	struct msg msg;

	send_number(&left, 1);
	link_flush(&left);
	link_close(&left);
	assert_number(&right, 1);
	assert_int_equal(link_receive(&right, &msg), 0);
	send_number(&right, 2);
	assert_int_equal(link_flush(&right), -EPIPE);
	msg_start(&msg, 1);
	assert_int_equal(link_send(&left, &msg), -EPIPE);
	assert_int_equal(link_receive(&left, &msg), 0);
}

/* The peer says why it gives up, and goes without reading what we sent: its last words must arrive. */
static void test_last_words(void **state)
{
	send_number(&right, 1);
	link_flush(&right);
	send_number(&left, 99);
	link_flush(&left);
	link_close(&left);
	send_number(&right, 2);
	assert_number(&right, 99);
	assert_int_equal(link_receive(&right, &(struct msg){ 0 }), 0);
}

static void *read_all(void *arg)
{
	uint64_t sum = 0;
	struct msg msg;

	while (link_receive(&right, &msg) == 1) {
		size_t length;

		msg_get_bytes(&msg, MSG_LIMIT, &length);
		assert_true(msg_done(&msg));
		sum += length;
	}
	*(uint64_t *)arg = sum;
	return NULL;
}

static void test_large_and_blocking(void **state)
{
	static uint8_t data[MSG_LIMIT];
	uint64_t sum = 0, got = 0;
	pthread_t reader;

	pthread_create(&reader, NULL, read_all, &got);
	for (size_t i = 0; i < 3000; i++) {
		size_t length = i * 97 % (MSG_LIMIT - 4);
		struct msg msg;

		msg_start(&msg, 1);
		msg_put_bytes(&msg, data, length);
		assert_int_equal(link_send(&left, &msg), 0);
		sum += length;
	}
	assert_int_equal(link_flush(&left), 0);
	link_close(&left);
	pthread_join(reader, NULL);
	assert_int_equal(got, sum);
}

static void test_blocked_send_times_out(void **state)
{
	static uint8_t data[100000];
	int err = 0;

	left.timeout_ms = 30;
	for (int i = 0; i < 1000 && !err; i++) {
		struct msg msg;

		msg_start(&msg, 1);
		msg_put_bytes(&msg, data, sizeof data);
		err = link_send(&left, &msg);
	}
	assert_int_equal(err, -ETIMEDOUT);
}

static void test_descriptors(void **state)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int first = -1;
	const int fds[] = { null, null };
	struct stat sent, got;
	struct msg msg;

	send_number(&left, 1); /* waits in the buffer, and must come first */
	msg_start(&msg, 1);
	msg_put_u32(&msg, 2);
	assert_int_equal(link_send_fds(&left, &msg, fds, 2), 0);
	send_number(&left, 3);
	link_flush(&left);
	assert_number(&right, 1);
	assert_int_equal(link_take_fd(&right, 0), -1);
	assert_number(&right, 2);
	first = link_take_fd(&right, 0);
	assert_true(first >= 0);
	assert_int_equal(link_take_fd(&right, 0), -1);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	fstat(null, &sent);
	fstat(first, &got);
	assert_int_equal(sent.st_rdev, got.st_rdev);
	assert_true(right.in.fds[1] >= 0);
	assert_number(&right, 3); /* the second one wasn't taken: closed here */
	assert_int_equal(link_take_fd(&right, 1), -1);
	assert_int_equal(link_take_fd(&right, LINK_FDS), -1);
}

static void test_bad_message_refused(void **state)
{
	static uint8_t data[MSG_LIMIT];
	struct msg msg;

	msg_start(&msg, 1);
	msg_put_bytes(&msg, data, sizeof data);
	assert_int_equal(link_send(&left, &msg), -EMSGSIZE);
	send_number(&left, 4);
	link_flush(&left);
	assert_number(&right, 4);
}

static void test_malformed_packet(void **state)
{
	const uint8_t short_header[] = { 1, 0, 0, 0, 0 };
	const uint8_t long_message[] = { 1, 0, 0, 0, 5, 0, 0, 0, 'a', 'b', 'c', 'd' };
	const uint8_t huge[] = { 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF };
	struct msg msg;

	assert_int_equal(send(left.fd, short_header, sizeof short_header, 0), sizeof short_header);
	assert_int_equal(link_receive(&right, &msg), -EPROTO);
	right.in.at = right.in.length;
	assert_int_equal(send(left.fd, long_message, sizeof long_message, 0), sizeof long_message);
	assert_int_equal(link_receive(&right, &msg), -EPROTO);
	right.in.at = right.in.length;
	assert_int_equal(send(left.fd, huge, sizeof huge, 0), sizeof huge);
	assert_int_equal(link_receive(&right, &msg), -EPROTO);
}

static void test_oversized_packet(void **state)
{
	static uint8_t packet[LINK_PACKET + 1];

	assert_int_equal(send(left.fd, packet, sizeof packet, 0), sizeof packet);
	assert_int_equal(link_receive(&right, &(struct msg){ 0 }), -EPROTO);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(test_batches),
		LINK_TEST(test_receive_flushes),
		LINK_TEST(test_timeout),
		LINK_TEST(test_closed),
		LINK_TEST(test_last_words),
		LINK_TEST(test_large_and_blocking),
		LINK_TEST(test_blocked_send_times_out),
		LINK_TEST(test_descriptors),
		LINK_TEST(test_bad_message_refused),
		LINK_TEST(test_malformed_packet),
		LINK_TEST(test_oversized_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
