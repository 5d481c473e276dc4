/*
 * The first three lines are Authorization, Host and Origin, the rest is a file of keys: whatever they say, only who
 * knows a key is let in, and a file is taken or refused with its line.
 */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "access/authorization.h"
#include "access/browser.h"
#include "access/keys.h"
#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX_BYTES = 16 << 10, PROJECT_A = 0, PROJECT_B = 1 };

static const char key[] = "tg-b", pair[] = "pk-a:sk-a";

static const char *take_line(struct bytes *input, char text[TEXT_MAX_BYTES])
{
	const uint8_t *end = input->len ? memchr(input->at, '\n', input->len) : NULL;
	size_t len = end ? (size_t)(end - input->at) : input->len, taken = len + (end != NULL);
	snprintf(text, TEXT_MAX_BYTES, "%.*s", (int)len, (const char *)input->at);
	*input = (struct bytes){ input->at + taken, input->len - taken };
	return text;
}

static bool ends_with(struct bytes text, const char *end)
{
	size_t len = strlen(end);
	return text.len >= len && memcmp(bytes_end(text) - len, end, len) == 0;
}

/* Looks at the header from behind, as authorization.c does not. */
static bool knows(const char *header, const char *secret)
{
	struct bytes text = bytes_of(header);
	while (text.len && strchr(" \t", text.at[text.len - 1]))
		text.len--;
	if ((header[1] | 0x20) == 'e')
		return ends_with(text, secret);
	struct buf decoded;
	buf_init(&decoded, TEXT_MAX_BYTES, NULL);
	while (text.len && strchr(" \t", *text.at) == NULL)
		text = (struct bytes){ text.at + 1, text.len - 1 };
	while (text.len && strchr(" \t", *text.at))
		text = (struct bytes){ text.at + 1, text.len - 1 };
	bool known = base64_decode(text, &decoded) == 0 && ends_with(buf_bytes(&decoded), secret);
	buf_done(&decoded);
	return known;
}

static void try_authorization(const char *header)
{
	struct keyring keys = { 0 };
	assert(keyring_add(&keys, KEY_GATEWAY, bytes_of(key), PROJECT_B) == 0);
	assert(keyring_add(&keys, KEY_PAIR, bytes_of(pair), PROJECT_A) == 0);
	assert(keyring_add(&keys, KEY_PUBLIC, bytes_of("pk-a"), PROJECT_A) == 0);
	int project = authorization_find(&keys, header);
	assert(project == -ENOENT || project == PROJECT_A || project == PROJECT_B);
	assert(project < 0 || knows(header, project == PROJECT_A ? pair : key));
	keyring_done(&keys);
}

static void try_browser(const char *host, const char *origin)
{
	static const struct texts none;
	static char *const all[] = { "*" };
	assert(!host_is_loopback(host) || host_is_ours(host, "box", none));
	if (origin_is_welcome(origin, host, none))
		assert(strncasecmp(origin, "http", 4) == 0 && strstr(origin, "://"));
	assert(origin_is_welcome(origin, host, (struct texts){ all, 1 }));
}

static void try_file(struct bytes text)
{
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	struct key twins[2];
	int error = keyring_read(&keys, text, PROJECT_A, &complaint);
	assert(error == 0 || (error == -EINVAL && complaint.text[0] && complaint.line > 0));
	assert(keys.of[KEY_GATEWAY].count <= KEYS_MAX_LINES);
	if (keyring_has_twins(&keys, twins))
		assert(twins[0].line < twins[1].line &&
			memcmp(twins[0].hash, twins[1].hash, KEY_HASH_BYTES) == 0);
	keyring_done(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char authorization[TEXT_MAX_BYTES], host[TEXT_MAX_BYTES], origin[TEXT_MAX_BYTES];
	struct bytes input = { data, size };
	try_authorization(take_line(&input, authorization));
	take_line(&input, host);
	try_browser(host, take_line(&input, origin));
	try_file(input);
	return 0;
}
