/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/digest.h"

#include <errno.h>
#include <openssl/evp.h>

static int begin(void **ret, const EVP_MD *kind)
{
	*ret = EVP_MD_CTX_new();
	return *ret && EVP_DigestInit_ex(*ret, kind, NULL) == 1 ? 0 : -ENOMEM;
}

int digest_begin(struct digest *digest, bool with_md5)
{
	int ret;

	*digest = (struct digest){ 0 };
	ret = begin(&digest->sha256, EVP_sha256());
	return ret == 0 && with_md5 ? begin(&digest->md5, EVP_md5()) : ret;
}

int digest_add(struct digest *digest, const void *data, size_t length)
{
	bool good = EVP_DigestUpdate(digest->sha256, data, length) == 1;

	if (good && digest->md5)
		good = EVP_DigestUpdate(digest->md5, data, length) == 1;
	return good ? 0 : -EIO;
}

int digest_end(struct digest *digest, uint8_t ret_sha256[SHA256_BYTES], uint8_t ret_md5[MD5_BYTES])
{
	bool good = EVP_DigestFinal_ex(digest->sha256, ret_sha256, NULL) == 1;

	if (good && digest->md5 && ret_md5)
		good = EVP_DigestFinal_ex(digest->md5, ret_md5, NULL) == 1;
	return good ? 0 : -EIO;
}

void digest_clear(struct digest *digest)
{
	EVP_MD_CTX_free(digest->sha256);
	EVP_MD_CTX_free(digest->md5);
	*digest = (struct digest){ 0 };
}
