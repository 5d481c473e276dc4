#include "access/keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/files.h"

enum { HEX_DIGITS = 2 * KEY_HASH_BYTES };

static const char hash_prefix[] = "sha256:";

void keyring_done(struct keyring *keys)
{
	for (enum key_kind kind = 0; kind < KEY_KIND_COUNT; kind++)
		free(keys->of[kind].at);
	*keys = (struct keyring){ 0 };
}

int key_hash(struct bytes key, uint8_t ret_hash[KEY_HASH_BYTES])
{
	size_t len;
	return EVP_Q_digest(NULL, "SHA256", NULL, key.at, key.len, ret_hash, &len) ? 0 : -ENOMEM;
}

static struct key *append(struct keys *keys)
{
	if (keys->count == keys->capacity) {
		size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
		struct key *grown = reallocarray(keys->at, capacity, sizeof *grown);
		if (!grown)
			return NULL;
		keys->at = grown;
		keys->capacity = capacity;
	}
	return &keys->at[keys->count++];
}

int keyring_add(struct keyring *keys, enum key_kind kind, struct bytes text, unsigned project)
{
	struct key *key = append(&keys->of[kind]);
	if (!key)
		return -ENOMEM;
	*key = (struct key){ .project = project };
	return key_hash(text, key->hash);
}

bool key_is_name(struct bytes text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
	for (size_t i = 0; i < text.len; i++)
		if (!memchr(allowed, text.at[i], sizeof allowed - 1))
			return false;
	return text.len > 0 && text.len <= KEY_NAME_MAX;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word of a line, which is empty at its end. */
static struct bytes take_word(struct bytes *line)
{
	size_t begin = 0, end;
	while (begin < line->len && is_blank(line->at[begin]))
		begin++;
	for (end = begin; end < line->len && !is_blank(line->at[end]);)
		end++;
	struct bytes word = { line->at + begin, end - begin };
	*line = (struct bytes){ line->at + end, line->len - end };
	return word;
}

static bool read_hash(struct bytes text, uint8_t hash[KEY_HASH_BYTES])
{
	char digits[HEX_DIGITS + 1] = "";
	size_t prefix = sizeof hash_prefix - 1, len;
	if (text.len != prefix + HEX_DIGITS || !bytes_start_with(text, hash_prefix))
		return false;
	memcpy(digits, text.at + prefix, HEX_DIGITS);
	return OPENSSL_hexstr2buf_ex(hash, KEY_HASH_BYTES, &len, digits, '\0') &&
		len == KEY_HASH_BYTES;
}

static int read_line(
	struct keyring *keys, struct bytes line, struct key key, struct complaint *complaint)
{
	struct bytes name = take_word(&line);
	if (!name.len || name.at[0] == '#')
		return 0;
	if (!key_is_name(name) || !read_hash(take_word(&line), key.hash) || take_word(&line).len)
		return complain(complaint,
			"a line must be a name and the key's hash, as \"tollgate key\" prints it: NAME "
			"sha256:HEX");
	struct key *added = append(&keys->of[KEY_GATEWAY]);
	if (!added)
		return -ENOMEM;
	*added = key;
	return 0;
}

int keyring_read(
	struct keyring *keys, struct bytes text, unsigned project, struct complaint *complaint)
{
	for (unsigned number = 1; text.len; number++) {
		const uint8_t *end = memchr(text.at, '\n', text.len);
		struct bytes line = { text.at, end ? (size_t)(end - text.at) : text.len };
		struct key key = { .project = project, .line = number };
		int error = number <= KEYS_MAX_LINES ?
			read_line(keys, line, key, complaint) :
			complain(complaint, "there may be %d lines", KEYS_MAX_LINES);
		if (error) {
			complaint->line = (int)number;
			return error;
		}
		size_t taken = line.len + (end != NULL);
		text = (struct bytes){ text.at + taken, text.len - taken };
	}
	return 0;
}

/* Whoever can write the file lets in whom they like; reading it helps nobody. */
static int read_file(const char *path, struct buf *text, struct complaint *complaint)
{
	struct stat status;
	int error = stat(path, &status) < 0 ? -errno : 0;
	if (!error && !S_ISREG(status.st_mode))
		return complain(complaint, "a file of keys must be a plain file");
	if (!error && status.st_mode & S_IWOTH)
		return complain(complaint, "everyone can write this file of keys: chmod o-w");
	if (!error)
		error = file_read(path, text);
	if (error == -E2BIG)
		return complain(complaint, "a file of keys may have %d bytes", KEYS_FILE_MAX_BYTES);
	return error ? complain(complaint, "the keys cannot be read: %s", strerror(-error)) : 0;
}

int keyring_read_file(
	struct keyring *keys, const char *path, unsigned project, struct complaint *complaint)
{
	struct buf text;
	buf_init(&text, KEYS_FILE_MAX_BYTES, NULL);
	int error = read_file(path, &text, complaint);
	if (!error)
		error = keyring_read(keys, buf_bytes(&text), project, complaint);
	if (error == -EINVAL)
		snprintf(complaint->file, sizeof complaint->file, "%s", path);
	buf_done(&text);
	return error;
}

static int compare(const void *a, const void *b)
{
	const struct key *one = a, *other = b;
	int order = memcmp(one->hash, other->hash, KEY_HASH_BYTES);
	if (order == 0)
		order = (one->project > other->project) - (one->project < other->project);
	return order ? order : (one->line > other->line) - (one->line < other->line);
}

bool keyring_has_twins(struct keyring *keys, struct key ret_twins[2])
{
	struct keys *of = &keys->of[KEY_GATEWAY];
	if (of->count)
		qsort(of->at, of->count, sizeof *of->at, compare);
	for (size_t i = 1; i < of->count; i++)
		if (memcmp(of->at[i - 1].hash, of->at[i].hash, KEY_HASH_BYTES) == 0) {
			ret_twins[0] = of->at[i - 1];
			ret_twins[1] = of->at[i];
			return true;
		}
	return false;
}

int keyring_find(const struct keyring *keys, enum key_kind kind, const uint8_t hash[KEY_HASH_BYTES])
{
	unsigned found = 0; /* the project and one */
	for (size_t i = 0; i < keys->of[kind].count; i++) {
		const struct key *key = &keys->of[kind].at[i];
		unsigned mask = 0U - (CRYPTO_memcmp(key->hash, hash, KEY_HASH_BYTES) == 0);
		found = (found & ~mask) | ((key->project + 1) & mask);
	}
	return found ? (int)found - 1 : -ENOENT;
}

int key_write_line(const char *name, struct bytes key, struct buf *line)
{
	uint8_t hash[KEY_HASH_BYTES];
	int error = key_hash(key, hash);
	if (error)
		return error;
	buf_printf(line, "%s %s", name, hash_prefix);
	for (size_t i = 0; i < sizeof hash; i++)
		buf_printf(line, "%02x", hash[i]);
	buf_text(line, "\n");
	return line->error;
}
