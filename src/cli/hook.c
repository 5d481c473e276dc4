/*
 * tollgate hook: what a coding CLI runs when something happens in it. It hands the payload to the daemon
 * and is gone; whatever is wrong, the CLI must not feel it.
 */
#include "cli/commands.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/complaint.h"
#include "base/files.h"
#include "cli/gateway.h"
#include "cli/glance.h"
#include "cli/kept_hooks.h"
#include "dialects/dialect.h"

enum { FLAG_TO, FLAG_CA };
enum {
	PATIENCE_MS = 300,
	PAYLOAD_MAX_BYTES = 16 << 20,
	READ_BYTES = 64 << 10,
	CERTIFICATE_MAX_BYTES = 1 << 20,
};

static const struct flag flags[] = {
	[FLAG_TO] = { "--to", "URL", "$TOLLGATE_URL, else where the configuration listens." },
	[FLAG_CA] = { "--ca", "FILE",
		"Whose certificates are trusted, in PEM form; else the system's." },
	{ NULL },
};

struct posting {
	CURL *curl;
	char to[GATEWAY_URL_MAX];
	const char *ca_file;    /* NULL: none was named */
	struct buf certificate; /* the daemon's own, as the configuration says; or empty */
	uint64_t deadline_ms;   /* clock_monotonic_ms */
};

static int left_ms(const struct posting *posting)
{
	uint64_t now = clock_monotonic_ms();
	return now < posting->deadline_ms ? (int)(posting->deadline_ms - now) : 0;
}

/* Negative: it did not end in time, or is too long. */
static int read_input(const struct posting *posting, struct buf *payload)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	for (;;) {
		if (poll(&input, 1, left_ms(posting)) <= 0)
			return -ETIMEDOUT;
		uint8_t *room = buf_reserve(payload, READ_BYTES);
		ssize_t len = room ? read(STDIN_FILENO, room, READ_BYTES) : -1;
		if (len <= 0)
			return (int)len;
		payload->len += (size_t)len;
	}
}

static size_t ignore(char *data, size_t size, size_t count, void *arg)
{
	(void)data, (void)arg;
	return size * count;
}

/*
 * The daemon next door is whoever shows the certificate that the configuration names, whatever name stands in
 * it: it is reached by an address.
 */
static void trust(const struct posting *posting)
{
	struct curl_blob certificate = { posting->certificate.at, posting->certificate.len,
		CURL_BLOB_NOCOPY };
	if (posting->ca_file) {
		curl_easy_setopt(posting->curl, CURLOPT_CAINFO, posting->ca_file);
	} else if (certificate.len) {
		curl_easy_setopt(posting->curl, CURLOPT_CAINFO_BLOB, &certificate);
		curl_easy_setopt(posting->curl, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(posting->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* False: somebody should try again. What the daemon refuses for good will never pass. */
static bool post(void *arg, const char *cli, struct bytes payload)
{
	struct posting *posting = arg;
	CURL *curl = posting->curl;
	char url[GATEWAY_URL_MAX + 32];
	long status = 0;
	int patience = left_ms(posting);
	if (patience == 0)
		return false;
	snprintf(url, sizeof url, "%s/hooks/%s", posting->to, cli);
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_reset(curl); /* keeps the connection */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	trust(posting);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)patience);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, payload.len ? (const char *)payload.at : "");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)payload.len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	bool is_mendable = status == 401 || status == 403; /* by another key, or a setting */
	return code == CURLE_OK && !is_mendable && status != 429 && status < 500;
}

/* The first one alone: trust in one that vouches for others would be trust in those. */
static void read_certificate(const char *file, struct buf *certificate)
{
	static const char end[] = "-----END CERTIFICATE-----";
	buf_init(certificate, CERTIFICATE_MAX_BYTES, NULL);
	const uint8_t *found = file_read(file, certificate) == 0 ?
		memmem(certificate->at, certificate->len, end, strlen(end)) :
		NULL;
	certificate->len = found ? (size_t)(found - certificate->at) + strlen(end) : 0;
}

static void find_daemon(const char *given, struct posting *posting)
{
	const char *url = given ? given : getenv("TOLLGATE_URL");
	struct complaint unread = { 0 };
	json_t *config = NULL;
	if (url && *url) {
		snprintf(posting->to, sizeof posting->to, "%s", url);
		return;
	}
	glance(NULL, &config, &unread);
	const char *certificate = glance_text(config, "tls.certificate_file");
	gateway_url(glance_text(config, "listen"), certificate, posting->to);
	if (certificate)
		read_certificate(certificate, &posting->certificate);
	json_decref(config);
}

static void hand_over(struct posting *posting, const char *cli, struct bytes payload)
{
	posting->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	if (posting->curl && post(posting, cli, payload))
		kept_hooks_give(post, posting);
	else
		kept_hooks_add(cli, payload);
	curl_easy_cleanup(posting->curl);
}

/* Words for a person who tries it by hand; a CLI has no terminal for it. */
static int refuse(const char *why)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "tollgate: hook %s\n", why);
	return EXIT_DONE;
}

/*
 * Whoever reads what the program prints, or waits for its children, must not meet us: so not as its child, and
 * with nothing open that is its.
 */
static bool is_beside(void)
{
	pid_t child = fork();
	if (child > 0)
		waitpid(child, NULL, 0);
	if (child != 0)
		return false;
	if (fork() != 0)
		_exit(0);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(nothing, fd);
	return true;
}

/* As the CLI would have: in this process, whose exit status is then the program's. */
static int become(char **program)
{
	execvp(program[0], program);
	int error = errno;
	fprintf(stderr, "tollgate: hook cannot run %s: %s\n", program[0], strerror(error));
	return error == ENOENT ? 127 : 126; /* as shells say it */
}

static void find_and_hand_over(
	struct posting *posting, const char *to, const char *cli, const char *payload)
{
	struct buf input;
	find_daemon(to, posting);
	buf_init(&input, PAYLOAD_MAX_BYTES, NULL);
	if (payload)
		hand_over(posting, cli, bytes_of(payload));
	else if (read_input(posting, &input) == 0 && input.len)
		hand_over(posting, cli, buf_bytes(&input));
	buf_done(&input);
	buf_done(&posting->certificate);
}

/* Takes the last as the payload. NULL: it is alone, there is nothing to run. */
static char **take_program(char **words, const char **ret_payload)
{
	size_t count = 0;
	while (words[count])
		count++;
	*ret_payload = words[count - 1];
	return count > 1 ? words : NULL;
}

static int run(struct arguments *arguments)
{
	struct posting posting = { .deadline_ms = clock_monotonic_ms() + PATIENCE_MS };
	const char *value = NULL, *to = NULL, *cli = NULL, *payload = NULL;
	char **program = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_TO)
			to = value;
		else if (argument == FLAG_CA)
			posting.ca_file = value;
		else if (argument == ARGUMENT_OPERAND && !cli)
			cli = value;
		else if (argument == ARGUMENT_OPERAND && !payload && arguments->is_past_flags) {
			program = take_program(arguments->next - 1, &payload);
			break;
		} else if (argument == ARGUMENT_OPERAND && !payload)
			payload = value;
		else
			return refuse("takes a CLI and at most one payload");
	}
	bool is_known = cli && dialect_named(bytes_of(cli));
	if (program && (!is_known || !is_beside()))
		return become(program);
	if (!is_known)
		return refuse("needs one of claude-code, codex and gemini");
	find_and_hand_over(&posting, to, cli, payload);
	if (program)
		_exit(EXIT_DONE);
	return EXIT_DONE;
}

const struct command command_hook = {
	.name = "hook",
	.sentence = "Hands what a coding CLI gives its hooks to the daemon.",
	.operands = "CLI [PAYLOAD | -- PROGRAM [ARGUMENT...] PAYLOAD]",
	.values = "claude-code codex gemini",
	.flags = flags,
	.manual =
		"The payload is what stands on the standard input, or the one argument behind CLI, as"
		" Codex gives it to `notify`. Nothing is printed, the exit status is 0, and it takes "
		"at most 300 ms: what cannot be posted in that time is kept in "
		"`$XDG_STATE_HOME/tollgate/hooks.jsonl` (below `~/.local/state` where that is unset, "
		"at most 1 MiB) and goes with a later one."
		"\n\n"
		"A `PROGRAM` behind `--` is run with its arguments and the payload, as Codex would run "
		"it as `notify`: at once, whatever becomes of the hook, and the exit status is its own.",
	.run = run,
};
