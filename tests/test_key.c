/* tollgate key: what it prints lets in, and what it writes is a file of keys. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/authorization.h"
#include "access/keys.h"
#include "cli/commands.h"
#include "support/scratch.h"

enum { KEY_CHARS = 46 };

static char directory[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 16];
static char printed[4096];

static void begin(void)
{
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(path, sizeof path, "%s/keys", directory);
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void end(void)
{
	scratch_remove(directory);
}

TestSuite(key, .init = begin, .fini = end, .timeout = 60);

#define RUN(...) commands_run((char *[]){ "tollgate", "key", __VA_ARGS__, NULL })

static const char *read_stdout(void)
{
	fflush(stdout);
	FILE *file = cr_get_redirected_stdout();
	printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
	return printed;
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Of the first word of that form. */
static const char *key_in(const char *text)
{
	static char key[KEY_CHARS + 1];
	const char *at = strstr(text, "tg-");
	cr_assert(at, "%s", text);
	cr_assert_eq(strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
		KEY_CHARS, "%s", at);
	snprintf(key, sizeof key, "%s", at);
	return key;
}

static int find(const struct keyring *keys, const char *key)
{
	char header[128];
	snprintf(header, sizeof header, "Bearer %s", key);
	return authorization_find(keys, header);
}

/* The keys of the file; the test fails when it has a mistake. */
static struct keyring read_keys(void)
{
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	cr_assert_eq(keyring_read_file(&keys, path, 0, &complaint), 0, "%d: %s", complaint.line,
		complaint.text);
	return keys;
}

Test(key, it_is_printed_with_the_line_that_lets_it_in)
{
	cr_expect_eq(RUN("ci"), EXIT_DONE);
	const char *text = read_stdout(), *line = strstr(text, "\nci sha256:");
	cr_assert(line, "%s", text);
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	cr_expect_eq(keyring_read(&keys, bytes_of(line), 0, &complaint), 0, "%s", complaint.text);
	cr_expect_eq(find(&keys, key_in(text)), 0);
	keyring_done(&keys);
}

Test(key, appended_it_is_printed_alone_and_lets_in_with_those_before)
{
	struct stat status;
	char first[KEY_CHARS + 1];
	cr_expect_eq(RUN("--append", path, "ci"), EXIT_DONE);
	const char *text = read_stdout();
	snprintf(first, sizeof first, "%s", key_in(text));
	cr_expect_eq(strlen(text), KEY_CHARS + 1, "%s", text);
	cr_expect_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0022, 0, "%o", status.st_mode);

	cr_expect_eq(RUN("laptop", "--append", path), EXIT_DONE);
	struct keyring keys = read_keys();
	cr_expect_eq(keys.of[KEY_GATEWAY].count, 2);
	cr_expect_eq(find(&keys, first), 0);
	cr_expect_eq(find(&keys, key_in(read_stdout())), 0);
	keyring_done(&keys);
}

Test(key, a_file_without_a_line_end_gets_one_first)
{
	write_file("# mine");
	cr_expect_eq(RUN("--append", path, "ci"), EXIT_DONE);
	struct keyring keys = read_keys();
	cr_expect_eq(keys.of[KEY_GATEWAY].count, 1);
	keyring_done(&keys);
}

Test(key, a_file_of_something_else_is_left_alone)
{
	char wanted[SCRATCH_PATH_MAX + 256];
	struct stat status;
	write_file("#\n{\"listen\": 1}\n");
	cr_expect_eq(RUN("--append", path, "ci"), EXIT_USAGE);
	cr_expect_str_empty(read_stdout());
	cr_expect_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_size, 16);
	fflush(stderr);
	snprintf(wanted, sizeof wanted,
		"tollgate: %s:2: a line must be a name and the key's hash, as \"tollgate key\" "
		"prints it: NAME sha256:HEX\n",
		path);
	cr_expect_stderr_eq_str(wanted);
}

Test(key, without_a_place_for_the_line_there_is_no_key)
{
	cr_expect_eq(RUN("--append", "/nonexistent/keys", "ci"), EXIT_FAILED);
	cr_expect_str_empty(read_stdout());
	fflush(stderr);
	cr_expect_stderr_eq_str("tollgate: the line cannot be written to /nonexistent/keys: No "
				"such file or directory\n");
}

Test(key, a_name_is_one_plain_word)
{
	static char *const names[] = { "", "two words", "a:b", "#a", "a\nb sha256:0", "\xc3\xa4",
		"12345678901234567890123456789012345678901234567890123456789012345" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_expect_eq(RUN(names[i]), EXIT_USAGE, "%s", names[i]);
	cr_expect_eq(commands_run((char *[]){ "tollgate", "key", NULL }), EXIT_USAGE);
	cr_expect_eq(RUN("a", "b"), EXIT_USAGE);
	cr_expect_str_empty(read_stdout());
	cr_expect_eq(RUN("a.b_c@d-9"), EXIT_DONE);
}
