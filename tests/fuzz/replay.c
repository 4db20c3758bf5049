/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives files to a fuzz target, one after another: replay FILE…  Ends with "N passed, 0 failed", or doesn't.
 */
#include "fuzz.h"

#include <stdio.h>

#define LARGEST (16u << 20)

int main(int argc, char **argv)
{
	uint8_t *data = malloc(LARGEST);

	for (int i = 1; i < argc && data; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t size = file ? fread(data, 1, LARGEST, file) : 0;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	free(data);
	printf("%d passed, 0 failed\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
