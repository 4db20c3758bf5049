/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/phase.h"

static const char *const names[] = {
	[PHASE_IDLE] = "idle",		[PHASE_FROZEN] = "freezing",	  [PHASE_FILLED] = "planning",
	[PHASE_PLANNED] = "planned",	[PHASE_BURNING] = "burning",	  [PHASE_WRITTEN] = "verifying",
	[PHASE_CHECKED] = "publishing", [PHASE_PUBLISHED] = "publishing", [PHASE_SPOILT] = "failed",
};

const char *phase_name(enum phase phase)
{
	return names[phase];
}
