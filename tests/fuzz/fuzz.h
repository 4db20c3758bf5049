/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzz target is one function, which libFuzzer calls (`make fuzz`), and replay.c in `make check`. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
