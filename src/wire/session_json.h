/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions as status, info, log and catalogue all tell them. */
#pragma once

#include "base/text.h"
#include "wire/verbs.h"

/* An array of objects: number, start, sectors, time, label, formats (words). */
void sessions_to_json(const struct verb_session *sessions, size_t count, struct text *text);
