#include "access/authorization.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <strings.h>

#include "access/keys.h"
#include "base/base64.h"

enum { HEADER_MAX_BYTES = 8 << 10 };

static int find_gateway_key(const struct keyring *keys, struct bytes key)
{
	uint8_t hash[KEY_HASH_BYTES];
	int error = key_hash(key, hash);
	return error ? error : keyring_find(keys, KEY_GATEWAY, hash);
}

/* All three are looked for, whatever is found. */
static int find_pair(const struct keyring *keys, struct bytes pair)
{
	const uint8_t *colon = pair.len ? memchr(pair.at, ':', pair.len) : NULL;
	if (!colon)
		return -ENOENT;
	size_t len = (size_t)(colon - pair.at);
	const struct bytes user = { pair.at, len }, password = { colon + 1, pair.len - len - 1 };
	uint8_t of_pair[KEY_HASH_BYTES], of_user[KEY_HASH_BYTES], of_password[KEY_HASH_BYTES];
	if (key_hash(pair, of_pair) < 0 || key_hash(user, of_user) < 0 ||
		key_hash(password, of_password) < 0)
		return -ENOMEM;
	int own = keyring_find(keys, KEY_PAIR, of_pair);
	int public = keyring_find(keys, KEY_PUBLIC, of_user);
	int gateway = password.len ? keyring_find(keys, KEY_GATEWAY, of_password) : -ENOENT;
	if (own >= 0)
		return own;
	return public < 0 || public == gateway ? gateway : -ENOENT;
}

static int find_basic(const struct keyring *keys, struct bytes text)
{
	struct buf pair;
	buf_init(&pair, HEADER_MAX_BYTES, NULL);
	int project = base64_decode(text, &pair);
	if (project == 0)
		project = find_pair(keys, buf_bytes(&pair));
	OPENSSL_cleanse(pair.at, pair.capacity);
	buf_done(&pair);
	return project == -EBADMSG ? -ENOENT : project;
}

int authorization_find(const struct keyring *keys, const char *header)
{
	static const char blanks[] = " \t";
	size_t scheme = strcspn(header, blanks);
	const char *text = header + scheme + strspn(header + scheme, blanks);
	const struct bytes word = { (const uint8_t *)text, strcspn(text, blanks) };
	bool is_one_word = word.len && !text[word.len + strspn(text + word.len, blanks)];
	if (!is_one_word || strlen(header) > HEADER_MAX_BYTES)
		return -ENOENT;
	if (scheme == 6 && strncasecmp(header, "Bearer", scheme) == 0)
		return find_gateway_key(keys, word);
	if (scheme == 5 && strncasecmp(header, "Basic", scheme) == 0)
		return find_basic(keys, word);
	return -ENOENT;
}
