/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One burn under way, as burn.c conducts it; what is different for image files and for discs in a drive. */
#pragma once

#include "disc/burn.h"
#include "disc/burn_feed.h"
#include "disc/drive.h"

struct burning {
	const struct burn_request *request;
	struct burn_feed feed;
	struct drive drive;
	struct burn_disc *disc;
	struct burn_session *session;
	struct burn_track *track;
	struct burn_source *source;
	struct burn_write_opts *opts;
	bool typed;	      /* opts say how to write; else libburn chooses */
	int image;	      /* own descriptor of an image file, for truncating and syncing; -1 */
	struct reason unwell; /* everything went out, and then libburn complained */
	struct reason *why;
};

/* All return 0 or -errno with burning->why. */
struct burn_way {
	int (*open)(struct burning *burning);	 /* makes sure that it's the right medium, and grabs it */
	int (*options)(struct burning *burning); /* of the burn, in opts */
	int (*finish)(struct burning *burning);	 /* after libburn said that all is well, or unwell is set */
	void (*spoil)(struct burning *burning);	 /* after a failure */
	bool stops;				 /* when the one who asked for it is gone */
	bool closes;				 /* finish may still make it good */
};

extern const struct burn_way burn_image, burn_medium;
