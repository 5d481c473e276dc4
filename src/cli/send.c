/*
 * tollgate send: posts recorded requests again, to see whether and how they are taken. Bodies go as
 * they lie on disk, each with the headers it had.
 */
#include "cli/commands.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "cli/answer.h"
#include "cli/recording.h"

enum { FLAG_TO, FLAG_CA, FLAG_SIGNAL };
enum {
	BODY_MAX_BYTES = 64 << 20,
	ANSWER_MAX_BYTES = 64 << 10,
	CONNECT_TIMEOUT_MS = 5000,
	REQUEST_TIMEOUT_MS = 60000,
};

static const struct flag flags[] = {
	[FLAG_TO] = { "--to", "URL", "$TOLLGATE_URL, else http://127.0.0.1:4318." },
	[FLAG_CA] = { "--ca", "FILE",
		"Whose certificates are trusted, in PEM form; else the system's." },
	[FLAG_SIGNAL] = { "--signal", "SIGNAL", "What a single file holds; else as it is named.",
		"traces logs metrics" },
	{ NULL },
};

enum verdict { TAKEN, NOT_TAKEN, FAILED };

struct sending {
	CURL *curl;
	const char *to, *ca_file;
	bool has_colours;
	unsigned counts[FAILED + 1];
	uint64_t rejected;
};

static void print_result(
	const struct sending *sending, enum verdict verdict, const char *name, const char *why)
{
	static const char *const words[] = { "taken", "not taken", "failed" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	printf("%s  %s%s%s (%s)\n", name, sending->has_colours ? colours[verdict] : "",
		words[verdict], sending->has_colours ? "\033[0m" : "", why);
	fflush(stdout);
}

static size_t keep_answer(char *data, size_t size, size_t count, void *arg)
{
	struct buf *answer = arg;
	size_t room = answer->max_bytes - answer->len, len = size * count;
	buf_append(answer, data, len < room ? len : room);
	return len; /* the rest is not of interest */
}

static CURLcode post(struct sending *sending, const struct recording *recording, struct bytes body,
	struct buf *answer)
{
	CURL *curl = sending->curl;
	char url[2048], header[512];
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	snprintf(header, sizeof header, "Content-Type: %s", recording->content_type);
	headers = curl_slist_append(headers, header);
	if (recording->content_encoding) {
		snprintf(
			header, sizeof header, "Content-Encoding: %s", recording->content_encoding);
		headers = curl_slist_append(headers, header);
	}
	if (snprintf(url, sizeof url, "%s%s", sending->to, recording->path) >= (int)sizeof url) {
		curl_slist_free_all(headers);
		return CURLE_URL_MALFORMAT;
	}
	curl_easy_reset(curl); /* keeps the connection */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* loopback is the common case */
	if (sending->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, sending->ca_file);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len ? (const char *)body.at : "");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	CURLcode code = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	return code;
}

static enum verdict judge(long status, const char *path)
{
	if (status >= 200 && status < 300)
		return TAKEN;
	bool is_traces = strlen(path) >= 7 && strcmp(path + strlen(path) - 7, "/traces") == 0;
	return status == 404 && !is_traces ? NOT_TAKEN : FAILED;
}

static enum verdict send_body(struct sending *sending, const struct recording *recording,
	struct bytes body, char *why, size_t why_size)
{
	struct buf received;
	struct answer answer;
	long status = 0;
	const char *type = NULL;
	buf_init(&received, ANSWER_MAX_BYTES, NULL);
	CURLcode code = post(sending, recording, body, &received);
	if (code != CURLE_OK) {
		snprintf(why, why_size, "%s", curl_easy_strerror(code));
		buf_done(&received);
		return FAILED;
	}
	curl_easy_getinfo(sending->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(sending->curl, CURLINFO_CONTENT_TYPE, &type);
	answer_read((int)status, type ? type : "", buf_bytes(&received), &answer);
	buf_done(&received);
	int len = snprintf(why, why_size, "%ld", status);
	if (answer.rejected)
		len += snprintf(why + len, why_size - (size_t)len, ", %llu rejected",
			(unsigned long long)answer.rejected);
	if (answer.message[0])
		snprintf(why + len, why_size - (size_t)len, ": %s", answer.message);
	sending->rejected += answer.rejected;
	return judge(status, recording->path);
}

static int send_recording(const struct recording *recording, void *arg)
{
	struct sending *sending = arg;
	char why[320];
	struct buf file;
	buf_init(&file, BODY_MAX_BYTES, NULL);
	enum verdict verdict = FAILED;
	int error = recording->file ? file_read(recording->file, &file) : 0;
	if (error == -E2BIG)
		snprintf(why, sizeof why, "larger than %d bytes", BODY_MAX_BYTES);
	else if (error)
		snprintf(why, sizeof why, "%s", strerror(-error));
	else
		verdict = send_body(sending, recording,
			recording->file ? buf_bytes(&file) : recording->body, why, sizeof why);
	buf_done(&file);
	sending->counts[verdict]++;
	print_result(sending, verdict, recording->name, why);
	return 0;
}

static bool is_signal(const char *name)
{
	return strcmp(name, "traces") == 0 || strcmp(name, "logs") == 0 ||
		strcmp(name, "metrics") == 0;
}

static int send_paths(struct sending *sending, char *const *paths, const char *signal)
{
	int status = EXIT_DONE;
	for (; *paths; paths++) {
		struct complaint complaint = { 0 };
		if (recording_visit(*paths, signal, send_recording, sending, &complaint) == 0)
			continue;
		fprintf(stderr, "tollgate: %s: %s\n", complaint.file, complaint.text);
		status = EXIT_FAILED;
	}
	const unsigned *counts = sending->counts;
	printf("%u requests: %u taken, %u not taken, %u failed; %llu items rejected\n",
		counts[TAKEN] + counts[NOT_TAKEN] + counts[FAILED], counts[TAKEN],
		counts[NOT_TAKEN], counts[FAILED], (unsigned long long)sending->rejected);
	return counts[FAILED] ? EXIT_FAILED : status;
}

/* Operands are moved to the front of argv, in their order. */
static int read_arguments(
	struct arguments *arguments, struct sending *sending, const char **ret_signal)
{
	char **paths = arguments->next, **end = paths;
	const char *value = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == ARGUMENT_OPERAND)
			*end++ = (char *)value;
		else if (argument == FLAG_TO)
			sending->to = value;
		else if (argument == FLAG_CA)
			sending->ca_file = value;
		else if (argument == FLAG_SIGNAL)
			*ret_signal = value;
		else
			return -EINVAL;
	}
	*end = NULL;
	if (end == paths) {
		fprintf(stderr, "tollgate: send needs a file or a folder\n");
		return -EINVAL;
	}
	if (*ret_signal && !is_signal(*ret_signal)) {
		fprintf(stderr, "tollgate: --signal must be traces, logs or metrics, not %s\n",
			*ret_signal);
		return -EINVAL;
	}
	return 0;
}

static int run(struct arguments *arguments)
{
	const char *signal = NULL, *url = getenv("TOLLGATE_URL");
	struct sending sending = {
		.to = url && *url ? url : "http://127.0.0.1:4318",
		.has_colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	char **paths = arguments->next;
	if (read_arguments(arguments, &sending, &signal) < 0)
		return EXIT_USAGE;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		!(sending.curl = curl_easy_init())) {
		fprintf(stderr, "tollgate: libcurl does not start\n");
		return EXIT_FAILED;
	}
	int status = send_paths(&sending, paths, signal);
	curl_easy_cleanup(sending.curl);
	curl_global_cleanup();
	return status;
}

const struct command command_send = {
	.name = "send",
	.sentence = "Posts recorded OTLP requests and hooks.",
	.operands = "PATH...",
	.flags = flags,
	.manual =
		"A PATH is a recorded body (.pb or .json, each also with .gz) or a folder with a "
		"`manifest.json` that lists them; what CLIs gave their hooks, in `hooks.jsonl`, "
		"`hooks-http.jsonl` and `notify.jsonl`, goes at its recorded places. A line is "
		"printed for each request. What is no trace and is answered with 404 is counted as "
		"not taken, which is no failure.",
	.run = run,
};
