#include "base/base64.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>

enum { BYTES_MAX = INT_MAX / 2 };

void base64_encode(struct bytes bytes, struct buf *out)
{
	/* EVP_EncodeBlock writes a NUL behind its text. */
	uint8_t *to = bytes.len > BYTES_MAX ? NULL : buf_reserve(out, (bytes.len + 2) / 3 * 4 + 1);
	if (to)
		out->len += (size_t)EVP_EncodeBlock(to, bytes.at, (int)bytes.len);
	else if (!out->error)
		out->error = -E2BIG;
}

int base64_decode(struct bytes text, struct buf *out)
{
	size_t padding = 0;
	while (padding < 2 && padding < text.len && text.at[text.len - 1 - padding] == '=')
		padding++;
	if (text.len % 4 || text.len > BYTES_MAX)
		return -EBADMSG;
	/* EVP_DecodeBlock takes padding anywhere. */
	if (text.len && memchr(text.at, '=', text.len - padding))
		return -EBADMSG;
	uint8_t *to = buf_reserve(out, text.len / 4 * 3 + 1);
	if (!to)
		return out->error;
	int len = text.len ? EVP_DecodeBlock(to, text.at, (int)text.len) : 0;
	if (len < 0 || (size_t)len != text.len / 4 * 3)
		return -EBADMSG;
	out->len += (size_t)len - padding;
	return 0;
}
