/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc of the catalogue as JSON, under the keys that a mount's status has where they mean the same. */
#pragma once

#include "base/text.h"
#include "store/catalog.h"

void catalog_disc_to_json(const struct catalog *catalog, const struct catalog_disc *disc, struct text *text);
