/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/watch.h"

#include "ctl/ctl.h"
#include "ctl/look_job.h"
#include "ctl/target.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define UDEVD_SOCKET "/run/udev/control"

/* A drive that was seen. */
struct seen {
	char path[LOOK_PATH_ROOM];
	bool there;
	char *told;	      /* the newest look at it that was told, as JSON; owned */
	struct look_job *job; /* under way; NULL: none */
	const char *event;    /* what it will be told as */
	bool always;	      /* also if nothing seems to have changed */
	bool again;	      /* something happened meanwhile */
};

struct watch {
	bool json;
	struct seen seen[LOOK_DRIVES_LIMIT];
	size_t count;
	int wake[2]; /* the end of a look */
};

static void watch_clear(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		look_job_free(watch->seen[i].job);
		free(watch->seen[i].told);
	}
}

static void tell(const struct watch *watch, const char *event, const char *path, const char *line,
		 const char *object)
{
	if (!watch->json)
		printf("%-7s  %s\n", event, line ? line : path);
	else if (object)
		printf("{\"event\":\"%s\",%s\n", event, object + 1);
	else
		printf("{\"event\":\"%s\",\"drive\":\"%s\"}\n", event, path);
	fflush(stdout);
}

/* What was seen now, if it's worth telling. */
static void tell_look(const struct watch *watch, struct seen *seen, const struct look *look)
{
	AUTO_TEXT struct text line = { 0 };
	AUTO_TEXT struct text object = { 0 };

	look_to_line(look, &line);
	look_to_json(look, &object);
	if (line.failed || object.failed)
		return;
	if (!seen->always && seen->told && strcmp(seen->told, object.data) == 0)
		return;
	tell(watch, seen->event, seen->path, line.data, object.data);
	free(seen->told);
	seen->told = TAKE(object.data);
	seen->event = "changed";
	seen->always = false;
}

static void look_begin(struct watch *watch, struct seen *seen)
{
	seen->again = seen->job != NULL;
	if (!seen->job)
		seen->job = look_job_start(seen->path, watch->wake[1]);
}

static void looks_end(struct watch *watch)
{
	char bytes[64];

	while (read(watch->wake[0], bytes, sizeof bytes) > 0)
		;
	for (size_t i = 0; i < watch->count; i++) {
		struct seen *seen = &watch->seen[i];

		if (!seen->job || !atomic_load(&seen->job->done))
			continue;
		if (seen->there && !seen->again)
			tell_look(watch, seen, &seen->job->look);
		look_job_free(TAKE(seen->job));
		if (seen->there && seen->again)
			look_begin(watch, seen);
	}
}

static struct seen *seen_find(struct watch *watch, const char *path)
{
	struct seen *seen;

	for (size_t i = 0; i < watch->count; i++)
		if (strcmp(watch->seen[i].path, path) == 0)
			return &watch->seen[i];
	if (watch->count == LOOK_DRIVES_LIMIT)
		return NULL;
	seen = &watch->seen[watch->count++];
	snprintf(seen->path, sizeof seen->path, "%s", path);
	return seen;
}

static void drive_appears(struct watch *watch, const char *path, const char *event)
{
	struct seen *seen = seen_find(watch, path);

	if (!seen)
		return;
	seen->event = seen->there ? "changed" : event;
	seen->always = !seen->there;
	seen->there = true;
	look_begin(watch, seen);
}

/* --- what udev's cdrom_id has found out: the drive needn't be asked again, while others want to mount it ---
 */

static const char *property(struct udev_device *device, const char *name)
{
	const char *value = udev_device_get_property_value(device, name);

	return value ? value : "";
}

static const char *medium_by_udev(struct udev_device *device)
{
	static const char *const media[][2] = {
		{ "ID_CDROM_MEDIA_CD_R", "cd-r" },
		{ "ID_CDROM_MEDIA_CD_RW", "cd-rw" },
		{ "ID_CDROM_MEDIA_CD", "cd-rom" },
		{ "ID_CDROM_MEDIA_DVD_R", "dvd-r" },
		{ "ID_CDROM_MEDIA_DVD_RW", "dvd-rw" },
		{ "ID_CDROM_MEDIA_DVD_RAM", "dvd-ram" },
		{ "ID_CDROM_MEDIA_DVD_PLUS_R_DL", "dvd+r-dl" },
		{ "ID_CDROM_MEDIA_DVD_PLUS_R", "dvd+r" },
		{ "ID_CDROM_MEDIA_DVD_PLUS_RW", "dvd+rw" },
		{ "ID_CDROM_MEDIA_DVD", "dvd-rom" },
		{ "ID_CDROM_MEDIA_BD_R", "bd-r" },
		{ "ID_CDROM_MEDIA_BD_RE", "bd-re" },
		{ "ID_CDROM_MEDIA_BD", "bd-rom" },
	};

	for (size_t i = 0; i < sizeof media / sizeof *media; i++)
		if (strcmp(property(device, media[i][0]), "1") == 0)
			return media[i][1];
	return NULL;
}

static enum look_state state_by_udev(struct udev_device *device)
{
	static const struct {
		const char *word;
		enum look_state state;
	} states[] = {
		{ "blank", LOOK_BLANK },
		{ "appendable", LOOK_APPENDABLE },
		{ "other", LOOK_APPENDABLE }, /* overwriteable */
		{ "complete", LOOK_CLOSED },
	};
	const char *word = property(device, "ID_CDROM_MEDIA_STATE");

	if (strcmp(property(device, "ID_CDROM_MEDIA"), "1") != 0)
		return LOOK_EMPTY;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(states[i].word, word) == 0)
			return states[i].state;
	return LOOK_UNKNOWN;
}

static bool look_by_udev(struct udev_device *device, const char *path, struct look *ret)
{
	if (strcmp(property(device, "ID_CDROM"), "1") != 0)
		return false;
	if (look_from_afar(path, ret))
		return true;
	ret->state = state_by_udev(device);
	if (ret->state == LOOK_EMPTY)
		return true;
	look_set_medium(ret, medium_by_udev(device));
	snprintf(ret->label, sizeof ret->label, "%s", property(device, "ID_FS_LABEL"));
	return true;
}

static void drive_changes(struct watch *watch, struct udev_device *device, const char *path)
{
	struct seen *seen = seen_find(watch, path);
	CLEANUP(look_clear) struct look look = { 0 };

	if (strcmp(property(device, "DISK_EJECT_REQUEST"), "1") == 0) {
		tell(watch, "button", path, NULL, NULL);
		return; /* what it leads to is another event */
	}
	if (!seen || !seen->there || (seen->event && strcmp(seen->event, "changed") != 0)) {
		drive_appears(watch, path, seen && seen->event ? seen->event : "added");
		return;
	}
	seen->event = "changed";
	seen->always = seen->always || strcmp(property(device, "DISK_MEDIA_CHANGE"), "1") == 0;
	if (look_by_udev(device, path, &look))
		tell_look(watch, seen, &look);
	else
		look_begin(watch, seen);
}

static void drive_goes(struct watch *watch, const char *path)
{
	struct seen *seen = seen_find(watch, path);

	if (!seen || !seen->there)
		return;
	seen->there = false;
	seen->event = NULL;
	free(TAKE(seen->told));
	tell(watch, "removed", path, NULL, NULL);
}

static bool is_drive_name(const char *name)
{
	if (!name || strncmp(name, "sr", 2) != 0 || !isdigit((unsigned char)name[2]))
		return false;
	return strspn(name + 2, "0123456789") == strlen(name + 2) && strlen(name) < 8;
}

static void take_event(struct watch *watch, struct udev_monitor *monitor)
{
	struct udev_device *device = udev_monitor_receive_device(monitor);
	const char *name, *action;
	char path[LOOK_PATH_ROOM];

	if (!device)
		return;
	name = udev_device_get_sysname(device);
	action = udev_device_get_action(device);
	if (is_drive_name(name) && action) {
		snprintf(path, sizeof path, "/dev/%s", name);
		if (strcmp(action, "remove") == 0)
			drive_goes(watch, path);
		else if (strcmp(action, "add") == 0)
			drive_appears(watch, path, "added");
		else if (strcmp(action, "change") == 0)
			drive_changes(watch, device, path);
	}
	udev_device_unref(device);
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch_loop(struct watch *watch, struct udev_monitor *monitor, int signals)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = 0 }, /* POLLERR: nobody reads it any more */
		{ .fd = watch->wake[0], .events = POLLIN },
		{ .fd = udev_monitor_get_fd(monitor), .events = POLLIN },
	};

	for (;;) {
		if (poll(fds, sizeof fds / sizeof *fds, -1) < 0) {
			if (errno == EINTR)
				continue;
			return ctl_fail(EXIT_CODE_SYSTEM, "can't wait for drives: %s", strerror(errno));
		}
		if (fds[0].revents || fds[1].revents)
			return EXIT_CODE_DONE;
		if (fds[2].revents)
			looks_end(watch);
		if (fds[3].revents)
			take_event(watch, monitor);
	}
}

/* Where no udevd runs, the kernel's own messages are all there is. */
static struct udev_monitor *monitor_open(struct udev *udev)
{
	bool udevd = access(UDEVD_SOCKET, F_OK) == 0;
	struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, udevd ? "udev" : "kernel");

	if (monitor && (udev_monitor_filter_add_match_subsystem_devtype(monitor, "block", "disk") < 0 ||
			udev_monitor_enable_receiving(monitor) < 0)) {
		udev_monitor_unref(monitor);
		return NULL;
	}
	return monitor;
}

static int watch_run(struct watch *watch, struct udev_monitor *monitor)
{
	char names[LOOK_DRIVES_LIMIT][LOOK_PATH_ROOM];
	AUTO_CLOSE int signals = signals_open();
	int count;

	if (signals < 0 || pipe2(watch->wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't wait for drives: %s", strerror(errno));
	/* After the monitor listens: nothing that comes between is missed. */
	count = look_drives(names, LOOK_DRIVES_LIMIT);
	for (int i = 0; i < count; i++)
		drive_appears(watch, names[i], "present");
	return watch_loop(watch, monitor, signals);
}

int watch_drives(bool json)
{
	CLEANUP(watch_clear) struct watch watch = { .json = json };
	struct udev *udev = udev_new();
	struct udev_monitor *monitor = udev ? monitor_open(udev) : NULL;
	int code;

	if (monitor)
		code = watch_run(&watch, monitor);
	else
		code =
		    ctl_fail(EXIT_CODE_SYSTEM, "can't hear of drives that come and go: %s", strerror(errno));
	if (monitor)
		udev_monitor_unref(monitor);
	if (udev)
		udev_unref(udev);
	return code;
}
