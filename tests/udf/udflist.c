/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libudfread, which nobody of this project wrote, reads of a UDF image: a line for each file, with its size,
 * SHA-256 and path.  udflist IMAGE */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <udfread/udfread.h>

static int list_file(udfread *volume, const char *path)
{
	static uint8_t data[1 << 16];
	UDFFILE *file = udfread_file_open(volume, path);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t sum[32];
	uint64_t size = 0;
	ssize_t got;

	if (!file || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		return fprintf(stderr, "%s: can't be opened\n", path), 1;
	while ((got = udfread_file_read(file, data, sizeof data)) > 0) {
		EVP_DigestUpdate(hash, data, (size_t)got);
		size += (uint64_t)got;
	}
	EVP_DigestFinal_ex(hash, sum, NULL);
	EVP_MD_CTX_free(hash);
	udfread_file_close(file);
	printf("%llu\t", (unsigned long long)size);
	for (size_t i = 0; i < sizeof sum; i++)
		printf("%02x", sum[i]);
	printf("\t.%s\n", path);
	return got < 0;
}

static int list_dir(udfread *volume, const char *path)
{
	UDFDIR *dir = udfread_opendir(volume, *path ? path : "/");
	struct udfread_dirent entry;
	int failed = 0;

	if (!dir)
		return fprintf(stderr, "%s: can't be opened\n", path), 1;
	while (udfread_readdir(dir, &entry)) {
		char *child = NULL;

		if (strcmp(entry.d_name, ".") == 0 || strcmp(entry.d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s/%s", path, entry.d_name) < 0)
			abort();
		if (entry.d_type == UDF_DT_DIR)
			failed |= list_dir(volume, child);
		else if (entry.d_type == UDF_DT_REG)
			failed |= list_file(volume, child);
		free(child);
	}
	udfread_closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	udfread *volume = udfread_init();

	if (argc != 2 || !volume || udfread_open(volume, argv[1]) < 0)
		return fprintf(stderr, "%s: libudfread can't open it\n", argc > 1 ? argv[1] : "?"), 2;
	return list_dir(volume, "");
}
