#include "support/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp/json.h"
#include "support/fixture.h"

static void add(struct corpus *corpus, const char *folder, const char *file, const char *suffix)
{
	corpus->requests =
		realloc(corpus->requests, (corpus->count + 1) * sizeof *corpus->requests);
	struct corpus_request *request = &corpus->requests[corpus->count++];
	snprintf(request->name, sizeof request->name, "%s/%s%s", folder, file, suffix);
	request->is_json = strcmp(strrchr(request->name, '.'), ".json") == 0;
	request->body = fixture(request->name);
}

static int is_request(const struct dirent *entry)
{
	return strstr(entry->d_name, ".json") && !strstr(entry->d_name, ".expected.");
}

struct corpus corpus_of_vocabularies(void)
{
	struct corpus corpus = { 0 };
	struct dirent **entries;
	char folder[512];
	const char *srcdir = getenv("srcdir");
	snprintf(folder, sizeof folder, "%s/tests/fixtures/vocabularies", srcdir ? srcdir : ".");
	int count = scandir(folder, &entries, is_request, alphasort);
	if (count <= 0)
		abort();
	for (int i = 0; i < count; i++) {
		add(&corpus, "vocabularies", entries[i]->d_name, "");
		free(entries[i]);
	}
	free(entries);
	return corpus;
}

/* What a folder's manifest does not have refused. */
static void add_folder(struct corpus *corpus, const char *folder, const char *suffix)
{
	char path[96];
	size_t i;
	json_t *entry;
	snprintf(path, sizeof path, "%s/MANIFEST.json", folder);
	struct bytes text = fixture(path);
	json_t *manifest = json_loadb((const char *)text.at, text.len, 0, NULL);
	if (!json_array_size(manifest))
		abort();
	json_array_foreach(manifest, i, entry) {
		const char *verdict = json_string_value(json_object_get(entry, "verdict"));
		if (!verdict || strncmp(verdict, "reject", 6) != 0)
			add(corpus, folder, json_string_value(json_object_get(entry, "id")),
				suffix);
	}
	json_decref(manifest);
	free((void *)text.at);
}

struct corpus corpus_of_all(void)
{
	struct corpus corpus = corpus_of_vocabularies();
	add_folder(&corpus, "otlp/valid", ".pb");
	add_folder(&corpus, "otlp/valid", ".json");
	add_folder(&corpus, "otlp/raw-pb", ".pb");
	add_folder(&corpus, "otlp/json-wire", ".json");
	return corpus;
}

void corpus_free(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++)
		free((void *)corpus->requests[i].body.at);
	free(corpus->requests);
	*corpus = (struct corpus){ 0 };
}

struct bytes corpus_protobuf(const struct corpus_request *request)
{
	struct complaint complaint = { 0 };
	struct buf out;
	if (!request->is_json) {
		uint8_t *copy = malloc(request->body.len + 1);
		memcpy(copy, request->body.at, request->body.len);
		return (struct bytes){ copy, request->body.len };
	}
	buf_init(&out, 1 << 24, NULL);
	int error = json_to_request(request->body, SIGNAL_TRACES, 100, &out, &complaint);
	if (error && error != -EBADMSG)
		abort();
	if (error)
		out.len = 0;
	return buf_bytes(&out);
}
