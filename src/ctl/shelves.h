/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue as commands ask for it. Exit codes; whoever returns another than EXIT_CODE_DONE said why. */
#pragma once

#include "store/catalog.h"

/* root: as --state gave it, or NULL. */
int shelves_open(const char *root, struct catalog *ret);
int shelves_find(struct catalog *catalog, const char *word, struct catalog_disc **ret);
