/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/phase.h"

static const char *const names[] = {
	[PHASE_IDLE] = "idle",		[PHASE_FROZEN] = "freezing",	  [PHASE_FILLED] = "planning",
	[PHASE_PLANNED] = "planned",	[PHASE_BURNING] = "burning",	  [PHASE_WRITTEN] = "verifying",
	[PHASE_CHECKED] = "publishing", [PHASE_PUBLISHED] = "publishing", [PHASE_SPOILT] = "undoing",
};

const char *phase_name(enum phase phase)
{
	return names[phase];
}

bool phase_may_follow(enum phase from, enum phase to)
{
#define TO(phase) (1u << (phase))
	static const unsigned next[] = {
		[PHASE_IDLE] = TO(PHASE_FROZEN),
		[PHASE_FROZEN] = TO(PHASE_FILLED) | TO(PHASE_IDLE),
		[PHASE_FILLED] = TO(PHASE_PLANNED) | TO(PHASE_IDLE),
		[PHASE_PLANNED] = TO(PHASE_BURNING) | TO(PHASE_IDLE),
		[PHASE_BURNING] = TO(PHASE_WRITTEN) | TO(PHASE_SPOILT),
		[PHASE_WRITTEN] = TO(PHASE_CHECKED) | TO(PHASE_SPOILT),
		[PHASE_CHECKED] = TO(PHASE_PUBLISHED) | TO(PHASE_SPOILT),
		[PHASE_PUBLISHED] = TO(PHASE_IDLE),
		[PHASE_SPOILT] = TO(PHASE_IDLE),
	};
#undef TO

	return next[from] >> to & 1;
}
