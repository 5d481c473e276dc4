#include "cli/setup_record.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/own_state.h"

enum { RECORD_MAX_BYTES = 4 << 20 };

void setup_hash(struct bytes text, char hash[SETUP_HASH_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	if (EVP_Q_digest(NULL, "SHA256", NULL, text.at, text.len, digest, &len) != 1)
		len = 0; /* no text has the empty hash */
	for (size_t i = 0; i < len; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	hash[2 * len] = '\0';
}

static int path_of(const struct setup_record *record, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/setup.json", record->directory);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int setup_record_open(const char *home, struct setup_record *ret_record)
{
	struct setup_record record;
	char path[PATH_MAX];
	struct buf text;
	int error = own_state_directory(home, record.directory);
	if (!error)
		error = path_of(&record, path);
	if (error)
		return error;
	buf_init(&text, RECORD_MAX_BYTES, NULL);
	error = file_read(path, &text);
	record.files = error ? NULL : json_loadb((char *)text.at, text.len, 0, NULL);
	buf_done(&text);
	if (error && error != -ENOENT)
		return error;
	if (!json_is_object(record.files)) {
		json_decref(record.files);
		record.files = json_object();
	}
	*ret_record = record;
	return record.files ? 0 : -ENOMEM;
}

void setup_record_close(struct setup_record *record)
{
	json_decref(record->files);
}

bool setup_record_find(
	const struct setup_record *record, const char *path, struct setup_mark *ret_mark)
{
	struct setup_mark mark = { 0 };
	int is_made = 0, is_directory_made = 0;
	const char *hash = "";
	if (json_unpack(json_object_get(record->files, path), "{s:s, s:s, s:b, s:b}", "sha256",
		    &hash, "url", &mark.url, "made", &is_made, "directory_made",
		    &is_directory_made) < 0)
		return false;
	snprintf(mark.sha256, sizeof mark.sha256, "%s", hash);
	mark.is_made = is_made;
	mark.is_directory_made = is_directory_made;
	*ret_mark = mark;
	return true;
}

static int save(const struct setup_record *record)
{
	char path[PATH_MAX];
	int error = path_of(record, path);
	if (!error && json_object_size(record->files) == 0)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	if (!error)
		error = directory_make_private(record->directory);
	char *text = error ? NULL : json_dumps(record->files, JSON_INDENT(2));
	if (!error)
		error = text ? file_replace(path, bytes_of(text), 0600) : -ENOMEM;
	free(text);
	return error;
}

int setup_record_put(struct setup_record *record, const char *path, const struct setup_mark *mark)
{
	json_t *row = mark ?
		json_pack("{s:s, s:s, s:b, s:b}", "sha256", mark->sha256, "url", mark->url, "made",
			mark->is_made, "directory_made", mark->is_directory_made) :
		NULL;
	if (!mark)
		json_object_del(record->files, path);
	else if (json_object_set_new(record->files, path, row) < 0)
		return -ENOMEM;
	return save(record);
}
