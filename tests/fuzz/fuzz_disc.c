/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a disc image: what the roles probe and import do, for each file system that they know. The
 * image is what stands from sector 16 on, so that small inputs get far. */
#include "fuzz.h"

#include "disc/formats.h"
#include "disc/iso_read.h"
#include "disc/sessions.h"

#include <sys/mman.h>
#include <unistd.h>

#define BEGIN ((size_t)16 * SECTOR)

static int node(void *self, const struct verb_node *node)
{
	return 0;
}

static int xattr(void *self, const struct verb_xattr *xattr)
{
	return 0;
}

static int extent(void *self, const struct extent *extent)
{
	return 0;
}

static int told(void *self, const char *text)
{
	return 0;
}

static void import(const struct source *source, uint64_t session, uint32_t format, bool damaged)
{
	const struct tree_sink sink = { .node = node,
					.xattr = xattr,
					.extent = extent,
					.warning = told,
					.lost = damaged ? told : NULL,
					.doubt = told };
	struct verb_imported imported;
	struct reason why = { 0 };

	(void)formats_read_tree(source, session, source->sectors, format, &sink, NULL, &imported, &why);
}

static void look(int fd)
{
	CLEANUP(disc_report_clear) struct disc_report report = { 0 };
	const struct verb_job job = { 0 };
	struct reason why = { 0 };
	struct source source;

	if (source_open(&source, fd, 0, &why) < 0)
		return;
	(void)sessions_probe(&source, &job, &report, &why);
	for (uint32_t format = FORMAT_AUTO; format <= FORMAT_UDF; format++)
		import(&source, report.disc.base, format, false);
	import(&source, report.disc.base, FORMAT_AUTO, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct reason why = { 0 };
	int fd = memfd_create("disc", MFD_CLOEXEC);

	if (!started && iso_read_start(&why) < 0)
		return 0;
	started = true;
	if (fd >= 0 && ftruncate(fd, (off_t)(BEGIN + (size + SECTOR - 1) / SECTOR * SECTOR)) == 0 &&
	    pwrite(fd, data, size, BEGIN) == (ssize_t)size)
		look(fd);
	if (fd >= 0)
		close(fd);
	return 0;
}
