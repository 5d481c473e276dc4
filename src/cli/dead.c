#include "cli/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/lines.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"
#include "cli/page.h"
#include "export/ingestion.h"

enum {
	UNWILLING_MAX = 3, /* answers running that no other letter would change */
	LETTERS_MAX = 1000000,
	ANSWER_BYTES = 8,
};
static const char page_limit[] = "10000";

/* ---- which letters ---- */

static json_t *ask_for_some(const struct dead_choice *choice, const char *after, int *ret_status)
{
	char path[PAGE_PATH_MAX] = "/v1/dead";
	json_t *answer = NULL;
	control_argument(path, sizeof path, "destination", choice->destination);
	control_argument(path, sizeof path, "reason", choice->reason);
	control_argument(path, sizeof path, "limit", page_limit);
	control_argument(path, sizeof path, "after", after);
	*ret_status = control_ask(choice->socket, "GET", path, &answer);
	return answer;
}

static int find_letters(const struct dead_choice *choice, json_t *ids)
{
	char after[256] = "";
	for (bool has_more = true; has_more && json_array_size(ids) < LETTERS_MAX;) {
		int status;
		json_t *letter, *answer = ask_for_some(choice, *after ? after : NULL, &status);
		size_t i;
		if (!answer)
			return status;
		json_array_foreach(json_object_get(answer, "letters"), i, letter) {
			json_array_append(ids, json_object_get(letter, "id"));
			snprintf(after, sizeof after, "%s", json_text(letter, "id"));
		}
		has_more = json_is_true(json_object_get(answer, "is_cut"));
		json_decref(answer);
	}
	return EXIT_DONE;
}

/* The ids that were written, or those of all letters that fit. An exit status. */
static int choose(const struct dead_choice *choice, char **operands, json_t **ret_ids)
{
	bool is_filtered = choice->destination || choice->reason || choice->is_all;
	if ((*operands != NULL) == is_filtered) {
		fprintf(stderr,
			"tollgate: name dead letters, or choose them by --destination, --reason or --all\n");
		return EXIT_USAGE;
	}
	json_t *ids = json_array();
	for (; *operands; operands++)
		json_array_append_new(ids, json_string(*operands));
	int status = is_filtered ? find_letters(choice, ids) : EXIT_DONE;
	if (status == EXIT_DONE)
		*ret_ids = ids;
	else
		json_decref(ids);
	return status;
}

static int ask_about(const struct dead_choice *choice, const char *method, const char *what,
	const char *id, json_t **ret_answer)
{
	char path[PAGE_PATH_MAX];
	snprintf(path, sizeof path, "/v1/dead/%s", what);
	control_argument(path, sizeof path, "id", id);
	return control_ask(choice->socket, method, path, ret_answer);
}

/* What became of many: a line each, or all their answers at the end. */
struct report {
	const struct dead_choice *choice;
	json_t *answers;
	unsigned done, kept;
};

static void print_result(struct report *report, json_t *answer, const char *words)
{
	if (report->choice->is_json)
		json_array_append(report->answers, answer);
	else
		printf("%s  %s\n", json_text(answer, "id"), words);
	fflush(stdout);
}

static int conclude(struct report *report, const char *done, int status)
{
	struct page page = { .is_json = true };
	unsigned all = report->done + report->kept;
	if (report->choice->is_json)
		page_print(&page, report->answers, NULL);
	else if (report->kept)
		printf("%u %s: %u %s, %u kept\n", all, all == 1 ? "letter" : "letters",
			report->done, done, report->kept);
	else
		printf("%u %s %s\n", all, all == 1 ? "letter" : "letters", done);
	json_decref(report->answers);
	return status == EXIT_DONE && report->kept ? EXIT_FAILED : status;
}

/* ---- list and show ---- */

enum column { ID, AGE, STATUS, SPANS, BYTES, REASON };

static const struct table_column columns[] = {
	[ID] = { "letter" },
	[AGE] = { "ago", .is_right = true, .rank = 1 },
	[STATUS] = { "status", .is_right = true, .rank = 2 },
	[SPANS] = { "spans", .is_right = true, .rank = 3 },
	[BYTES] = { "bytes", .is_right = true, .rank = 4 },
	[REASON] = { "reason", .min_columns = 12 },
};

static void add_letter(struct table *table, const json_t *letter, uint64_t now_ns)
{
	char figure[FIGURE_MAX];
	table_cell(table, ID, STYLE_BOLD, "", bytes_of(json_text(letter, "id")));
	table_cell(table, AGE, STYLE_PLAIN, "",
		bytes_of(figure_age(figure, json_uint(letter, "time_ns"), now_ns)));
	if (json_uint(letter, "status"))
		table_cell(table, STATUS, STYLE_PLAIN, "",
			bytes_of(figure_count(figure, (int64_t)json_uint(letter, "status"))));
	table_cell(table, SPANS, STYLE_PLAIN, "",
		bytes_of(figure_count(figure, (int64_t)json_uint(letter, "spans"))));
	table_cell(table, BYTES, STYLE_PLAIN, "",
		bytes_of(figure_bytes(figure, json_uint(letter, "bytes"))));
	table_cell(table, REASON, STYLE_PLAIN, "", bytes_of(json_text(letter, "reason")));
}

int dead_list_print(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	const json_t *letters = json_object_get(answer, "letters");
	struct table table;
	json_t *letter;
	size_t i;
	table_init(&table);
	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&table, columns[i]);
	table.has_titles = json_array_size(letters) > 0;
	if (!table.has_titles)
		table_note(&table, STYLE_PLAIN, "", bytes_of("No dead letters."));
	json_array_foreach(letters, i, letter)
		add_letter(&table, letter, json_uint(answer, "now_ns"));
	if (json_is_true(json_object_get(answer, "is_cut")))
		table_note(&table, STYLE_DIM, "", bytes_of("There are more: --limit N."));
	int error = table_print(&table, terminal, out);
	table_done(&table);
	return error;
}

static int list(const struct dead_choice *choice, char **operands)
{
	struct page page = { choice->socket, choice->is_json, "/v1/dead" };
	json_t *answer = NULL;
	if (*operands) {
		fprintf(stderr, "tollgate: spool dead list does not take %s\n", *operands);
		return EXIT_USAGE;
	}
	control_argument(page.path, sizeof page.path, "destination", choice->destination);
	control_argument(page.path, sizeof page.path, "reason", choice->reason);
	control_argument(page.path, sizeof page.path, "limit", choice->limit);
	int status = control_ask(page.socket, "GET", page.path, &answer);
	if (status == EXIT_DONE)
		status = page_print(&page, answer, dead_list_print);
	json_decref(answer);
	return status;
}

static int print_letter(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	return dead_letter_print(answer, false, clock_unix_ns(), terminal, out);
}

static int print_content(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	return dead_letter_print(answer, true, clock_unix_ns(), terminal, out);
}

static int show(const struct dead_choice *choice, char **operands)
{
	struct page page = { choice->socket, choice->is_json, "" };
	json_t *answer = NULL;
	if (!operands[0] || operands[1]) {
		fprintf(stderr, "tollgate: spool dead show needs one LETTER\n");
		return EXIT_USAGE;
	}
	int status = ask_about(choice, "GET", "letter", operands[0], &answer);
	if (status == EXIT_DONE)
		status = page_print(
			&page, answer, choice->has_content ? print_content : print_letter);
	json_decref(answer);
	return status;
}

/* ---- retry and drop ---- */

/* Whether it makes sense to go on with the next. */
static bool note_retry(struct report *report, json_t *answer, unsigned *unwilling)
{
	char words[256];
	const char *outcome = json_text(answer, "outcome");
	bool is_delivered = strcmp(outcome, "delivered") == 0;
	uint64_t status = json_uint(answer, "status");
	if (is_delivered)
		snprintf(words, sizeof words, "delivered");
	else if (status)
		snprintf(words, sizeof words, "kept: %llu, %s", (unsigned long long)status,
			json_text(answer, "reason"));
	else
		snprintf(words, sizeof words, "kept: %s", json_text(answer, "reason"));
	print_result(report, answer, words);
	report->done += is_delivered;
	report->kept += !is_delivered;
	*unwilling = strcmp(outcome, "unwilling") == 0 ? *unwilling + 1 : 0;
	return *unwilling < UNWILLING_MAX;
}

static int retry(const struct dead_choice *choice, char **operands)
{
	struct report report = { .choice = choice };
	unsigned unwilling = 0;
	json_t *ids, *id;
	size_t i;
	int status = choose(choice, operands, &ids);
	if (status != EXIT_DONE)
		return status;
	report.answers = json_array();
	json_array_foreach(ids, i, id) {
		json_t *answer = NULL;
		status = ask_about(choice, "POST", "retry", json_string_value(id), &answer);
		bool goes_on = status == EXIT_DONE && note_retry(&report, answer, &unwilling);
		json_decref(answer);
		if (goes_on)
			continue;
		if (i + 1 < json_array_size(ids))
			fprintf(stderr, "tollgate: stopped; %zu more were not tried\n",
				json_array_size(ids) - i - 1);
		break;
	}
	json_decref(ids);
	return conclude(&report, "delivered", status);
}

static bool is_agreed(const struct dead_choice *choice, size_t count)
{
	char answer[ANSWER_BYTES];
	if (choice->is_sure)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "tollgate: dropped is dropped: say --yes\n");
		return false;
	}
	fprintf(stderr, "Drop %zu dead %s for good? [y/N] ", count,
		count == 1 ? "letter" : "letters");
	return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int drop(const struct dead_choice *choice, char **operands)
{
	struct report report = { .choice = choice };
	json_t *ids, *id;
	size_t i;
	int status = choose(choice, operands, &ids);
	if (status != EXIT_DONE)
		return status;
	if (json_array_size(ids) && !is_agreed(choice, json_array_size(ids))) {
		json_decref(ids);
		return EXIT_USAGE;
	}
	report.answers = json_array();
	json_array_foreach(ids, i, id) {
		json_t *answer = NULL;
		status = ask_about(choice, "POST", "drop", json_string_value(id), &answer);
		if (status != EXIT_DONE)
			break;
		report.done++;
		print_result(&report, answer, "dropped");
		json_decref(answer);
	}
	json_decref(ids);
	return conclude(&report, "dropped", status);
}

/* ---- export ---- */

static int write_new(int directory, const char *name, struct bytes content)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : 0;
	while (!error && content.len) {
		ssize_t put = write(fd, content.at, content.len);
		if (put < 0 && errno != EINTR)
			error = -errno;
		if (put > 0)
			content = (struct bytes){ content.at + put, content.len - (size_t)put };
	}
	if (fd >= 0 && close(fd) < 0 && !error)
		error = -errno;
	return error;
}

static int complain_of_file(const char *directory, const char *name, int error)
{
	fprintf(stderr, "tollgate: %s/%s: %s\n", directory, name, strerror(-error));
	return EXIT_FAILED;
}

static bool is_of_events(const json_t *letter)
{
	return strcmp(json_text(letter, "signal"), "ingestion") == 0;
}

/* Kept are lines, sent is a batch of them. */
static int wrap_events(struct buf *request)
{
	struct buf lines = *request;
	uint32_t count = lines_count(buf_bytes(&lines));
	struct bytes *pieces = calloc(ingestion_piece_count(count), sizeof *pieces);
	int error = pieces ? ingestion_wrap(buf_bytes(&lines), count, pieces) : -ENOMEM;
	buf_init(request, SIZE_MAX / 2, NULL);
	for (size_t i = 0; !error && i < ingestion_piece_count(count); i++)
		buf_append(request, pieces[i].at, pieces[i].len);
	free(pieces);
	buf_done(&lines);
	return error ? error : request->error;
}

/* As tollgate send reads it. */
static json_t *manifest_entry(const json_t *letter, const char *file, size_t number)
{
	char path[64];
	const char *signal = json_text(letter, "signal");
	bool is_gzip = strcmp(json_text(letter, "encoding"), "gzip") == 0;
	snprintf(path, sizeof path, is_of_events(letter) ? "/api/public/%.32s" : "/v1/%.32s",
		signal);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:{s:s, s:s*}}", "seq", (json_int_t)number,
		"letter", json_text(letter, "id"), "file", file, "signal", signal, "path", path,
		"headers", "content-type",
		is_of_events(letter) ? "application/json" : "application/x-protobuf",
		"content-encoding", is_gzip ? "gzip" : NULL);
}

struct folder {
	const char *path;
	int fd;
	json_t *manifest;
};

static int write_letter(struct folder *folder, json_t *letter)
{
	char name[256];
	struct buf request;
	const char *id = json_text(letter, "id");
	snprintf(name, sizeof name, is_of_events(letter) ? "%.200s.json" : "%.200s.pb", id);
	for (char *at = name; *at; at++)
		*at = *at == '/' ? '-' : *at;
	buf_init(&request, SIZE_MAX / 2, NULL);
	int error = base64_decode(bytes_of(json_text(letter, "request")), &request);
	if (!error && is_of_events(letter))
		error = wrap_events(&request);
	if (!error)
		error = write_new(folder->fd, name, buf_bytes(&request));
	buf_done(&request);
	if (error)
		return complain_of_file(folder->path, name, error);
	json_array_append_new(folder->manifest,
		manifest_entry(letter, name, json_array_size(folder->manifest) + 1));
	return EXIT_DONE;
}

static int write_manifest(const struct folder *folder)
{
	char *text = json_dumps(folder->manifest, JSON_INDENT(2));
	int error = text ? write_new(folder->fd, "manifest.json", bytes_of(text)) : -ENOMEM;
	free(text);
	return error ? complain_of_file(folder->path, "manifest.json", error) : EXIT_DONE;
}

static int open_folder(struct folder *folder, const char *path)
{
	*folder = (struct folder){ .path = path, .fd = -1 };
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0) {
		fprintf(stderr, "tollgate: %s: %s\n", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (faccessat(folder->fd, "manifest.json", F_OK, 0) == 0) {
		close(folder->fd);
		return complain_of_file(path, "manifest.json", -EEXIST);
	}
	folder->manifest = json_array();
	return EXIT_DONE;
}

static int export_letters(const struct dead_choice *choice, char **operands)
{
	struct folder folder;
	json_t *ids, *id;
	size_t i;
	if (!*operands) {
		fprintf(stderr, "tollgate: spool dead export needs a DIR\n");
		return EXIT_USAGE;
	}
	int status = choose(choice, operands + 1, &ids);
	if (status != EXIT_DONE)
		return status;
	status = open_folder(&folder, *operands);
	if (status != EXIT_DONE) {
		json_decref(ids);
		return status;
	}
	json_array_foreach(ids, i, id) {
		json_t *letter = NULL;
		status = ask_about(choice, "GET", "letter", json_string_value(id), &letter);
		if (status == EXIT_DONE)
			status = write_letter(&folder, letter);
		json_decref(letter);
		if (status != EXIT_DONE)
			break;
	}
	size_t count = json_array_size(folder.manifest);
	if (count && write_manifest(&folder) != EXIT_DONE)
		status = EXIT_FAILED;
	printf("%zu %s written to %s\n", count, count == 1 ? "letter" : "letters", folder.path);
	json_decref(folder.manifest);
	json_decref(ids);
	close(folder.fd);
	return status;
}

int dead_run(const struct dead_choice *choice)
{
	static const char *const words[] = { "list", "show", "retry", "drop", "export", NULL };
	static int (*const verbs[])(const struct dead_choice *choice, char **operands) = { list,
		show, retry, drop, export_letters };
	const char *word = *choice->operands;
	if (!word) {
		fprintf(stderr, "tollgate: spool dead needs list, show, retry, drop or export\n");
		return EXIT_USAGE;
	}
	int verb = word_find(words, word, "spool dead");
	return verb < 0 ? EXIT_USAGE : verbs[verb](choice, choice->operands + 1);
}
