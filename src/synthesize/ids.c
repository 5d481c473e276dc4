#include "synthesize/ids.h"

#include <errno.h>

static const uint8_t separator = 0;

void ids_init(struct ids *ids, struct bytes cli, struct bytes session)
{
	*ids = (struct ids){ .cli = cli, .session = session };
	ids->context = EVP_MD_CTX_new();
	ids->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!ids->context || !ids->sha256)
		ids->error = -ENOMEM;
}

void ids_done(struct ids *ids)
{
	EVP_MD_CTX_free(ids->context);
	EVP_MD_free(ids->sha256);
}

static void begin(struct ids *ids)
{
	if (!ids->error && EVP_DigestInit_ex2(ids->context, ids->sha256, NULL) != 1)
		ids->error = -ENOMEM;
}

static void update(struct ids *ids, const void *at, size_t len)
{
	if (!ids->error && len && EVP_DigestUpdate(ids->context, at, len) != 1)
		ids->error = -ENOMEM;
}

static void finish(struct ids *ids, uint8_t digest[EVP_MAX_MD_SIZE])
{
	memset(digest, 0, EVP_MAX_MD_SIZE);
	if (!ids->error && EVP_DigestFinal_ex(ids->context, digest, NULL) != 1)
		ids->error = -ENOMEM;
}

static void add_part(struct ids *ids, struct bytes part)
{
	update(ids, &separator, 1);
	update(ids, part.at, part.len);
}

void ids_make(struct ids *ids, const char *kind, const struct bytes *parts, size_t count,
	uint8_t *ret_id, size_t size)
{
	static const uint8_t none[16];
	uint8_t digest[EVP_MAX_MD_SIZE];
	begin(ids);
	update(ids, "tollgate/1", strlen("tollgate/1"));
	add_part(ids, bytes_of(kind));
	add_part(ids, ids->cli);
	add_part(ids, ids->session);
	for (size_t i = 0; i < count; i++)
		add_part(ids, parts[i]);
	finish(ids, digest);
	memcpy(ret_id, digest, size);
	if (memcmp(ret_id, none, size) == 0)
		ret_id[size - 1] = 1;
}

void ids_digest(struct ids *ids, struct bytes text, char ret_hex[DIGEST_TEXT])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	begin(ids);
	update(ids, text.at, text.len);
	finish(ids, digest);
	for (size_t i = 0; i < DIGEST_TEXT; i++)
		ret_hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
}
