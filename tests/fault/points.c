/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the table of fault points (src/base/fault.h), a line each: name, process, when a commit comes by,
 * how it ends when the point returns an error. */
#include "base/fault.h"

#include <stdio.h>

int main(void)
{
	static const char *const in[] = { [FAULT_IN_DAEMON] = "daemon", [FAULT_IN_WORKER] = "worker" };
	static const char *const when[] = { [FAULT_ALWAYS] = "always",
					    [FAULT_WITH_HEAD] = "head",
					    [FAULT_SPOILT] = "spoilt",
					    [FAULT_AT_ENDS] = "ends",
					    [FAULT_NEVER] = "never" };
	static const char *const ends[] = { [FAULT_ENDS_BADLY] = "badly", [FAULT_ENDS_ANYHOW] = "anyhow" };
#define PRINT(id, name, where, comes, end) printf("%s %s %s %s\n", name, in[where], when[comes], ends[end]);
	FAULT_POINTS(PRINT)
	return 0;
}
