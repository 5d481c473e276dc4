/*
 * The stand-in Langfuse as a program: "port N" on the standard output once it listens, the journal as lines of
 * JSON in a file, OTLP as OTLP/JSON. SIGUSR1: it goes away; SIGUSR2: it is back; SIGTERM: it ends.
 *
 *   stand_in JOURNAL NAME PUBLIC_KEY SECRET_KEY [NAME PUBLIC_KEY SECRET_KEY]...
 */
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/compression.h"
#include "support/fake_langfuse.h"
#include "support/otlp_tree.h"

enum { MAX_PROJECTS = 8 };

static json_t *json_of(struct bytes body)
{
	return json_loadb((const char *)body.at, body.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

static json_t *digest_of(struct bytes body)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char text[2 * EVP_MAX_MD_SIZE + 1] = "";
	EVP_Digest(body.at, body.len, hash, &len, EVP_sha256(), NULL);
	for (unsigned i = 0; i < len; i++)
		snprintf(text + 2 * (size_t)i, 3, "%02x", hash[i]);
	return json_pack("{s:s, s:I}", "sha256", text, "bytes", (json_int_t)body.len);
}

/* What can be compared of a body: its JSON, its spans, or else its digest. */
static json_t *body_of(const struct fake_arrival *arrival)
{
	const char *coding = fake_arrival_header(arrival, "Content-Encoding");
	const char *type = fake_arrival_header(arrival, "Content-Type");
	struct buf plain;
	if (arrival->body.len == 0)
		return json_null();
	buf_init(&plain, FAKE_KEPT_BYTES, NULL);
	if (!coding || strcmp(coding, "gzip") != 0 || gzip_inflate(arrival->body, &plain) != 0)
		buf_append(&plain, arrival->body.at, arrival->body.len);
	json_t *json = type && strstr(type, "protobuf") ? otlp_tree(buf_bytes(&plain)) :
							  json_of(buf_bytes(&plain));
	if (!json)
		json = digest_of(buf_bytes(&plain));
	buf_done(&plain);
	return json;
}

static void write_line(const struct fake_arrival *arrival, void *journal)
{
	json_t *headers = json_array();
	for (const struct fake_line *line = arrival->headers; line && line->name; line++)
		json_array_append_new(headers, json_pack("[s, s]", line->name, line->value));
	json_t *json = json_pack("{s:s, s:s, s:i, s:s?, s:o, s:o}", "method", arrival->method,
		"target", arrival->target, "status", (int)arrival->status, "project",
		arrival->project, "headers", headers, "body", body_of(arrival));
	json_dumpf(json, journal, JSON_COMPACT);
	fputc('\n', journal);
	fflush(journal);
	json_decref(json);
}

int main(int argc, char **argv)
{
	struct fake_project projects[MAX_PROJECTS];
	struct fake_langfuse_options options = {
		.projects = projects, .on_answered = write_line, .forgets = true
	};
	sigset_t signals;
	int signal;
	for (int i = 2; i + 2 < argc && options.project_count < MAX_PROJECTS; i += 3)
		projects[options.project_count++] =
			(struct fake_project){ argv[i], argv[i + 1], argv[i + 2] };
	if (options.project_count == 0) {
		fputs("usage: stand_in JOURNAL NAME PUBLIC_KEY SECRET_KEY ...\n", stderr);
		return 2;
	}
	FILE *journal = fopen(argv[1], "we");
	if (!journal) {
		fprintf(stderr, "stand_in: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	options.arg = journal;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);

	struct fake_langfuse *fake = fake_langfuse_start(&options);
	printf("port %d\n", fake_langfuse_port(fake));
	fflush(stdout);
	while (sigwait(&signals, &signal) == 0 && signal != SIGTERM)
		(signal == SIGUSR1 ? fake_langfuse_leave : fake_langfuse_return)(fake);
	fake_langfuse_stop(fake);
	return fclose(journal) == 0 ? 0 : 1;
}
