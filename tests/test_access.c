/* Who is let in: by keys, by Host and Origin, and what files of keys may say. */
#include "access/access.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/authorization.h"
#include "access/browser.h"
#include "access/keys.h"
#include "base/base64.h"
#include "config/config.h"
#include "support/scratch.h"

/* Lines of a file of gateway keys: what they let in with, and its SHA-256. */
#define KEY_A "tg-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "tg-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define KEY_D "tg-DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"

/* The default project and two others, each with a pair and a file of keys. */
static struct house {
	char directory[SCRATCH_PATH_MAX], files[3][SCRATCH_PATH_MAX + 16];
	struct project_config projects[2];
	struct destination_config langfuse;
	struct config config;
	struct access *access;
} house;

static const char *write_keys(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *write_keys(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "we");
	va_list args;
	cr_assert_not_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	cr_assert_eq(fclose(file), 0);
	return path;
}

static const char *line_of(const char *name, const char *key)
{
	static char lines[4][256];
	static unsigned next;
	char *text = lines[next++ % 4];
	struct buf line;
	buf_init(&line, sizeof lines[0], NULL);
	cr_assert_eq(key_write_line(name, bytes_of(key), &line), 0);
	snprintf(text, sizeof lines[0], "%.*s", (int)line.len, (const char *)line.at);
	buf_done(&line);
	return text;
}

static void begin(void)
{
	cr_assert_eq(scratch_make(house.directory), 0);
	for (size_t i = 0; i < 3; i++)
		snprintf(house.files[i], sizeof house.files[i], "%s/%zu.keys", house.directory, i);
	write_keys(house.files[0], "# for all\n\n%s", line_of("ci@default", KEY_D));
	write_keys(house.files[1], "%s", line_of("ci", KEY_A));
	write_keys(house.files[2], "%s", line_of("ci", KEY_B));
	house.projects[0] = (struct project_config){ .name = "team-a",
		.public_key = "pk-a",
		.secret_key = "sk-a",
		.gateway_keys_file = house.files[1] };
	house.projects[1] = (struct project_config){ .name = "team-b",
		.public_key = "pk-b",
		.secret_key = "sk-b",
		.gateway_keys_file = house.files[2] };
	house.langfuse = (struct destination_config){ .name = "langfuse",
		.type = DESTINATION_LANGFUSE,
		.enabled = true,
		.public_key = "pk-d",
		.secret_key = "sk-d" };
	house.config = (struct config){ .listen = "127.0.0.1:4318",
		.access = { .anonymous = ANONYMOUS_LOCAL, .keys_file = house.files[0] },
		.projects = house.projects,
		.project_count = 2,
		.destinations = &house.langfuse,
		.destination_count = 1 };
	house.access = NULL;
}

static void end(void)
{
	access_free(house.access);
	scratch_remove(house.directory);
}

TestSuite(access, .init = begin, .fini = end, .timeout = 60);

static void open_access(void)
{
	struct complaint complaint = { 0 };
	cr_assert_eq(access_new(&house.config, &house.access, &complaint), 0, "%s:%d: %s",
		complaint.file, complaint.line, complaint.text);
}

/* "Basic " and the base64 of a text. */
static const char *basic(const char *text)
{
	static char header[16 << 10];
	struct buf coded;
	buf_init(&coded, sizeof header, NULL);
	base64_encode(bytes_of(text), &coded);
	snprintf(header, sizeof header, "Basic %.*s", (int)coded.len, (const char *)coded.at);
	buf_done(&coded);
	return header;
}

/* From this machine, as a program there asks. */
static struct claims claims_of(const char *authorization)
{
	return (struct claims){
		.authorization = authorization, .host = "127.0.0.1:4318", .is_local = true
	};
}

static unsigned judge(const struct claims *claims, const char **ret_lane)
{
	const struct caller *caller = NULL;
	const char *why = NULL;
	unsigned status = access_judge(house.access, claims, &caller, &why);
	cr_assert((status == 0) == (why == NULL));
	*ret_lane = status ? "nobody" : caller->lane;
	cr_assert(status || caller->is_anonymous == !claims->authorization);
	return status;
}

static void expect_lane(const char *header, const char *lane)
{
	const struct claims claims = claims_of(header);
	const char *found;
	unsigned status = judge(&claims, &found);
	cr_expect_str_eq(found, lane, "%s is %s", header, found);
	cr_expect_eq(status, strcmp(lane, "nobody") == 0 ? 401 : 0, "%s: %u", header, status);
}

static const struct {
	const char *text; /* of Basic */
	const char *lane;
} pairs[] = {
	{ "pk-d:sk-d", "default" },
	{ "pk-a:sk-a", "team-a" },
	{ "pk-b:sk-b", "team-b" },
	{ "pk-a:sk-b", "nobody" }, /* swapped, as the next */
	{ "pk-b:sk-a", "nobody" },
	{ "pk-a:sk-d", "nobody" },
	{ "sk-a:pk-a", "nobody" },
	{ "pk-a:", "nobody" },
	{ ":sk-a", "nobody" },
	{ ":", "nobody" },
	{ "", "nobody" },
	{ "pk-a", "nobody" },
	{ "sk-a", "nobody" },
	{ "pk-a:sk-", "nobody" }, /* truncated, as the next */
	{ "pk-:sk-a", "nobody" },
	{ "pk-a:sk-a ", "nobody" },
	{ "pk-a:sk-a\n", "nobody" },
	{ " pk-a:sk-a", "nobody" },
	{ "pk-a: sk-a", "nobody" },
	{ "pk-a:sk-a:", "nobody" },
	{ "pk-a:sk-a:sk-a", "nobody" },
	{ "PK-A:SK-A", "nobody" },
	{ "pk-c:sk-c", "nobody" },

	{ "anyone:" KEY_A, "team-a" },
	{ ":" KEY_A, "team-a" },
	{ "pk-c:" KEY_A, "team-a" }, /* of no project here */
	{ "pk-a:" KEY_A, "team-a" },
	{ "pk-b:" KEY_A, "nobody" }, /* of another one */
	{ "pk-d:" KEY_A, "nobody" },
	{ "pk-b:" KEY_B, "team-b" },
	{ "pk-d:" KEY_D, "default" },
	{ "pk-a:" KEY_D, "nobody" },
	{ KEY_A ":pk-a", "nobody" }, /* a key as the user, as the next two */
	{ KEY_A ":", "nobody" },
	{ KEY_A, "nobody" },
	{ KEY_A ":" KEY_A, "team-a" },
	{ KEY_A ":" KEY_B, "team-b" },
	{ "a:b:" KEY_A, "nobody" }, /* the user ends at the first colon */
	{ "anyone:" KEY_A "\n", "nobody" },
	{ "anyone:" KEY_A " ", "nobody" },
	{ "anyone:" KEY_A "A", "nobody" },
};

Test(access, basic_credentials_are_of_one_project_or_of_nobody)
{
	open_access();
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		expect_lane(basic(pairs[i].text), pairs[i].lane);
}

static const struct {
	const char *header;
	const char *lane;
} headers[] = {
	{ "Bearer " KEY_D, "default" },
	{ "Bearer " KEY_A, "team-a" },
	{ "bearer " KEY_B, "team-b" },
	{ "BEARER  " KEY_B " ", "team-b" }, /* the blanks are HTTP's */
	{ "Bearer\t" KEY_B, "team-b" },
	{ "Bearer " KEY_A " " KEY_A, "nobody" },
	{ "Bearer " KEY_A "," KEY_A, "nobody" },
	{ "Bearer", "nobody" },
	{ "Bearer ", "nobody" },
	{ " Bearer " KEY_A, "nobody" },
	{ "Bearer pk-a", "nobody" },
	{ "Bearer sk-a", "nobody" },
	{ "Bearer pk-a:sk-a", "nobody" },
	{ "Bearer cGstYTpzay1h", "nobody" }, /* pk-a:sk-a */
	{ "Token " KEY_A, "nobody" },
	{ "Bearerx " KEY_A, "nobody" },
	{ KEY_A, "nobody" },
	{ "", "nobody" },
	{ " ", "nobody" },

	{ "Basic cGstYTpzay1h", "team-a" },
	{ "basic cGstYTpzay1h", "team-a" },
	{ "bAsIc   cGstYTpzay1h  ", "team-a" },
	{ "Basic", "nobody" },
	{ "Basic =", "nobody" },
	{ "Basic ====", "nobody" },
	{ "Basic cGstYTpzay1h====", "nobody" },
	{ "Basic cGstYTpzay1h=", "nobody" },
	{ "Basic cGstYTpzay1h\n", "nobody" },
	{ "Basic \ncGstYTpzay1h", "nobody" },
	{ "Basic cGstYTpz\nay1h", "nobody" },
	{ "Basic cGstYTpzay1h-", "nobody" },
	{ "Basic cGstYTpzay1", "nobody" },
	{ "Basic cGstYTpz", "nobody" },
	{ "Basic cGst YTpzay1h", "nobody" },
	{ "Basic cGstYTpzay1h,Basic cGstYTpzay1h", "nobody" },
	{ "Basic pk-a:sk-a", "nobody" },
	{ "Basic \xff\xfe\xfd\xfc", "nobody" },
	{ "Digest cGstYTpzay1h", "nobody" },
};

Test(access, a_header_is_read_as_http_says_and_nothing_else_is)
{
	open_access();
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		expect_lane(headers[i].header, headers[i].lane);
}

Test(access, no_part_of_a_key_is_a_key)
{
	open_access();
	char header[128] = "Bearer ";
	for (size_t len = 0; len < sizeof KEY_A - 1; len++) {
		snprintf(header, sizeof header, "Bearer %.*s", (int)len, KEY_A);
		expect_lane(header, "nobody");
		snprintf(header, sizeof header, "Bearer %s", KEY_A);
		header[7 + len] ^= 0x20; /* letters in the other case, other signs else */
		expect_lane(header, "nobody");
	}
}

/* A header may be 8 KiB; Basic is cut off by that, not by what it decodes to. */
Test(access, a_header_without_end_is_nobodys)
{
	open_access();
	size_t user = 6000 - sizeof ":" KEY_A;
	char text[12 << 10];
	for (; user < 8000; user += 1900) {
		memset(text, 'u', user);
		strcpy(text + user, ":" KEY_A);
		expect_lane(basic(text), user < 6000 ? "team-a" : "nobody");
	}
}

Test(access, what_is_told_twice_is_not_believed)
{
	open_access();
	const char *lane;
	struct claims claims = claims_of("");
	cr_expect_eq(judge(&claims, &lane), 401);
	claims = claims_of(NULL);
	claims.host = "";
	cr_expect_eq(judge(&claims, &lane), 403);
	claims = claims_of("Bearer " KEY_A);
	claims.origin = "";
	cr_expect_eq(judge(&claims, &lane), 403);
}

Test(access, who_shows_no_key_is_let_in_as_the_setting_says)
{
	static const unsigned wanted[][2] = { /* from elsewhere, from this machine */
		[ANONYMOUS_NOBODY] = { 401, 401 },
		[ANONYMOUS_LOCAL] = { 401, 0 },
		[ANONYMOUS_EVERYONE] = { 0, 0 }
	};
	open_access();
	for (enum anonymous_setting setting = ANONYMOUS_NOBODY; setting <= ANONYMOUS_EVERYONE;
		setting++)
		for (int is_local = 0; is_local < 2; is_local++) {
			const char *lane;
			struct claims claims = claims_of(NULL);
			claims.is_local = is_local;
			house.config.access.anonymous = setting;
			unsigned status = judge(&claims, &lane);
			cr_expect_eq(status, wanted[setting][is_local], "%d, %d: %u", setting,
				is_local, status);
			cr_expect_str_eq(lane, status ? "nobody" : "default");
			/* With a key it does not matter; with a wrong one either. */
			claims.authorization = "Bearer " KEY_B;
			cr_expect_eq(judge(&claims, &lane), 0);
			claims.authorization = "Bearer x";
			cr_expect_eq(judge(&claims, &lane), 401);
		}
}

/* A browser asks with OPTIONS before it shows a key; all that such a question gets is another answer. */
Test(access, a_question_needs_no_key_and_the_right_origin)
{
	open_access();
	const char *lane;
	struct claims claims = { .host = "gateway.example.com", .is_question = true };
	cr_expect_eq(judge(&claims, &lane), 0);
	claims.origin = "https://gateway.example.com";
	cr_expect_eq(judge(&claims, &lane), 0);
	claims.origin = "https://evil.example";
	cr_expect_eq(judge(&claims, &lane), 403);
}

static char *const known_hosts[] = { "gateway.example.com", "other.example.com" };
static const struct texts no_texts, known = { known_hosts, 2 };

Test(access, a_host_is_ours_when_no_stranger_can_own_its_name)
{
	static const char *const ours[] = { "localhost", "LOCALHOST:1", "localhost:", "a.localhost",
		"a.b.LocalHost:80", "127.0.0.1", "127.0.0.1:4318", "192.168.1.7", "8.8.8.8:53",
		"[::1]", "[::1]:4318", "[fe80::1]:80", "[::ffff:127.0.0.1]", "tollgate",
		"tollgate:4318", "box.lan", "BOX.LAN:80", "gateway.example.com",
		"GATEWAY.example.com:443", "other.example.com" };
	static const char *const strange[] = { "", ":", ":80", "evil.example", "evil.example:4318",
		"localhost.evil.example", "evillocalhost.example", "127.0.0.1.evil.example",
		"127.0.0.1.nip.io:4318", "xlocalhost.x", "x.xlocalhost", "localhost.",
		"gateway.example.com.", "gateway.example.com.evil.example", "xgateway.example.com",
		"gateway.example.co", "box.lan.evil", "localhost:x", "localhost:80:80", "[::1",
		"::1", "[::1]x", "[localhost]", "[127.0.0.1]", "[fe80::1%25lo]",
		"user@evil.example", "256.1.1.1", "127.1.", "0x7f.1" };
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		cr_expect(host_is_ours(ours[i], "box.lan", known), "%s", ours[i]);
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
		cr_expect_not(host_is_ours(strange[i], "box.lan", known), "%s", strange[i]);
	cr_expect_not(host_is_ours("gateway.example.com", "box.lan", no_texts));
}

Test(access, an_origin_is_welcome_when_it_is_ours_this_machines_or_listed)
{
	static char *const list[] = { "https://app.example.com", "null-and-void" };
	static char *const any[] = { "https://app.example.com", "*" };
	static const struct {
		const char *origin, *host;
		bool listed, alone;
	} rows[] = {
		{ "http://gw.example.com:4318", "gw.example.com:4318", true, true },
		{ "HTTP://GW.example.com:4318", "gw.EXAMPLE.com:4318", true, true },
		{ "https://gw.example.com", "gw.example.com", true, true },
		{ "http://gw.example.com", "gw.example.com:4318", false, false },
		{ "http://gw.example.com:80", "gw.example.com:4318", false, false },
		{ "http://gw.example.com", NULL, false, false },
		{ "http://gw.example.com", "", false, false },
		{ "http://localhost:3000", "127.0.0.1:4318", true, true },
		{ "http://app.localhost", "127.0.0.1:4318", true, true },
		{ "https://127.0.0.1", "gw.example.com", true, true },
		{ "http://127.8.8.8:1", "gw.example.com", true, true },
		{ "http://[::1]:3000", "gw.example.com", true, true },
		{ "http://128.0.0.1", "127.0.0.1:4318", false, false },
		{ "http://192.168.1.7:4318", "127.0.0.1:4318", false, false },
		{ "http://localhost.evil.example", "127.0.0.1:4318", false, false },
		{ "http://127.0.0.1.evil.example", "127.0.0.1:4318", false, false },
		{ "http://localhost@evil.example", "127.0.0.1:4318", false, false },
		{ "http://evil.example#localhost", "127.0.0.1:4318", false, false },
		{ "http://localhost/", "127.0.0.1:4318", false, false },
		{ "https://app.example.com", "127.0.0.1:4318", true, false },
		{ "https://APP.example.com", "127.0.0.1:4318", true, false },
		{ "http://app.example.com", "127.0.0.1:4318", false, false },
		{ "https://app.example.com:8443", "127.0.0.1:4318", false, false },
		{ "https://evil.example", "127.0.0.1:4318", false, false },
		{ "chrome-extension://abc", "127.0.0.1:4318", false, false },
		{ "null", "127.0.0.1:4318", false, false },
		{ "null", "null", false, false },
		{ "", "", false, false },
		{ "http://", "", false, false },
		{ "*", "127.0.0.1:4318", false, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *origin = rows[i].origin, *host = rows[i].host;
		bool listed = origin_is_welcome(origin, host, (struct texts){ list, 2 });
		bool alone = origin_is_welcome(origin, host, no_texts);
		cr_expect_eq(listed, rows[i].listed, "%s at %s, with a list", origin, host);
		cr_expect_eq(alone, rows[i].alone, "%s at %s", origin, host);
		cr_expect(origin_is_welcome(origin, host, (struct texts){ any, 2 }), "%s", origin);
	}
}

Test(access, a_page_from_elsewhere_is_refused_with_and_without_a_key)
{
	open_access();
	const char *lane;
	struct claims claims = claims_of(NULL);
	claims.origin = "https://evil.example";
	cr_expect_eq(judge(&claims, &lane), 403);
	claims.authorization = "Bearer " KEY_A;
	cr_expect_eq(judge(&claims, &lane), 403);
	claims.authorization = "Bearer x";
	cr_expect_eq(judge(&claims, &lane), 403, "it learns nothing of keys");
}

/* Whoever rebinds a name has it in Origin too, where it is the same as Host. */
Test(access, a_name_that_was_bound_to_us_is_refused_unless_it_comes_with_a_key)
{
	open_access();
	const char *lane;
	struct claims claims = claims_of(NULL);
	claims.host = "evil.example:4318";
	cr_expect_eq(judge(&claims, &lane), 403);
	claims.origin = "http://evil.example:4318";
	cr_expect_eq(judge(&claims, &lane), 403);
	claims.authorization = "Bearer " KEY_A;
	cr_expect_eq(judge(&claims, &lane), 0);
	claims = claims_of(NULL);
	claims.host = NULL;
	cr_expect_eq(judge(&claims, &lane), 403);
}

/* ---- files of keys ---- */

#define HASH "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

static int read_keys(const char *text, struct keyring *keys, struct complaint *complaint)
{
	*complaint = (struct complaint){ 0 };
	return keyring_read(keys, bytes_of(text), 7, complaint);
}

Test(access, a_file_of_keys_may_have_comments_blanks_and_any_line_end)
{
	static const struct {
		const char *text;
		size_t keys;
	} rows[] = {
		{ "", 0 },
		{ "\n\n", 0 },
		{ "# a comment", 0 },
		{ "   #a comment\n \t\r\n", 0 },
		{ "ci sha256:" HASH, 1 },
		{ "ci sha256:" HASH "\n", 1 },
		{ "ci sha256:" HASH "\r\n", 1 },
		{ "  ci\t sha256:" HASH "  \n#\n\nA.b_c-d@9 sha256:" HASH "\n", 2 },
		{ "#\nsha256 sha256:" HASH "\n", 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct keyring keys = { 0 };
		struct complaint complaint;
		cr_expect_eq(read_keys(rows[i].text, &keys, &complaint), 0, "%s: %d: %s",
			rows[i].text, complaint.line, complaint.text);
		cr_expect_eq(keys.of[KEY_GATEWAY].count, rows[i].keys, "%s", rows[i].text);
		keyring_done(&keys);
	}
}

Test(access, a_mistake_in_a_file_of_keys_has_its_line_and_none_of_its_words)
{
	static const struct {
		const char *text;
		int line;
	} rows[] = {
		{ "ci", 1 },
		{ "sha256:" HASH, 1 },
		{ "ci sha256:", 1 },
		{ "\n\nci sha256:" HASH "0", 3 },
		{ "#\nci sha256:0123", 2 },
		{ "ci md5:" HASH, 1 },
		{ "ci SHA256:" HASH, 1 },
		{ "ci " HASH, 1 },
		{ "ci sha256:" HASH " more", 1 },
		{ "ci sha256:" HASH " # it is mine", 1 },
		{ "ci sha256: " HASH, 1 },
		{ "a b sha256:" HASH, 1 },
		{ "ok sha256:" HASH "\nci " KEY_A "\n", 2 },
		{ KEY_A "\n", 1 },
		{ "a:b sha256:" HASH, 1 },
		{ "\xc3\xa4 sha256:" HASH, 1 },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789 "
		  "sha256:" HASH,
			1 },
		{ "ci sha256:g123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", 1 },
		{ "ci sha256:01:3456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct keyring keys = { 0 };
		struct complaint complaint;
		cr_expect_eq(
			read_keys(rows[i].text, &keys, &complaint), -EINVAL, "%s", rows[i].text);
		cr_expect_eq(complaint.line, rows[i].line, "%s: %d", rows[i].text, complaint.line);
		cr_expect_str_eq(complaint.text,
			"a line must be a name and the key's hash, as \"tollgate key\" prints it: "
			"NAME sha256:HEX");
		keyring_done(&keys);
	}
}

Test(access, a_file_of_keys_may_have_ten_thousand_lines)
{
	struct buf text;
	buf_init(&text, KEYS_FILE_MAX_BYTES, NULL);
	for (unsigned i = 0; i < KEYS_MAX_LINES; i++)
		buf_printf(&text, "key-%u sha256:%064x\n", i, i);
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	struct key twins[2];
	cr_expect_eq(keyring_read(&keys, buf_bytes(&text), 0, &complaint), 0);
	cr_expect_eq(keys.of[KEY_GATEWAY].count, KEYS_MAX_LINES);
	cr_expect_not(keyring_has_twins(&keys, twins));
	keyring_done(&keys);
	buf_text(&text, "\n");
	cr_expect_eq(keyring_read(&keys, buf_bytes(&text), 0, &complaint), -EINVAL);
	cr_expect_eq(complaint.line, KEYS_MAX_LINES + 1);
	cr_expect_str_eq(complaint.text, "there may be 10000 lines");
	keyring_done(&keys);
	buf_done(&text);
}

static void expect_refused(const char *file, int line, const char *words)
{
	struct complaint complaint = { 0 };
	cr_expect_eq(access_new(&house.config, &house.access, &complaint), -EINVAL);
	cr_expect_str_eq(complaint.file, file);
	cr_expect_eq(complaint.line, line, "%d", complaint.line);
	cr_expect_str_eq(complaint.text, words);
}

Test(access, a_file_that_anybody_can_write_or_that_is_none_is_refused)
{
	cr_assert_eq(chmod(house.files[1], 0646), 0);
	expect_refused(house.files[1], 0, "everyone can write this file of keys: chmod o-w");
	cr_assert_eq(chmod(house.files[1], 0444), 0);
	house.projects[1].gateway_keys_file = house.directory;
	expect_refused(house.directory, 0, "a file of keys must be a plain file");
	house.projects[1].gateway_keys_file = "/nonexistent";
	expect_refused("/nonexistent", 0, "the keys cannot be read: No such file or directory");
}

Test(access, a_key_that_stands_twice_is_refused_wherever_it_does)
{
	char words[SCRATCH_PATH_MAX + 64];
	write_keys(house.files[2], "# B\n%s%s", line_of("ci", KEY_B), line_of("other", KEY_A));
	snprintf(words, sizeof words, "this key stands in line 1 of %s too", house.files[1]);
	expect_refused(house.files[2], 3, words);
	write_keys(house.files[2], "%s\n%s", line_of("ci", KEY_B), line_of("other", KEY_B));
	snprintf(words, sizeof words, "this key stands in line 1 of %s too", house.files[2]);
	expect_refused(house.files[2], 3, words);
}

/* What `printf '' | sha256sum` says of a variable that was not set. */
Test(access, no_password_is_no_key)
{
	write_keys(house.files[1], "%s", line_of("ci", ""));
	open_access();
	expect_lane(basic("anyone:"), "nobody");
	expect_lane(basic(":"), "nobody");
	expect_lane("Bearer ", "nobody");
}

/* ---- other keys under way ---- */

static int reload(const struct config *config)
{
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	int error = access_read(house.access, config, &keys, &complaint);
	if (!error)
		access_take(house.access, &keys);
	keyring_done(&keys);
	return error;
}

Test(access, a_reload_takes_new_keys_in_and_old_ones_out)
{
	open_access();
	write_keys(house.files[1], "%s", line_of("new", KEY_B "2"));
	struct project_config projects[] = { house.projects[1], house.projects[0] };
	struct destination_config langfuse = house.langfuse;
	struct config config = house.config;
	projects[1].secret_key = "sk-a2";
	langfuse.public_key = "pk-d2";
	config.projects = projects;
	config.destinations = &langfuse;
	cr_assert_eq(reload(&config), 0);
	expect_lane("Bearer " KEY_A, "nobody");
	expect_lane("Bearer " KEY_B "2", "team-a");
	expect_lane("Bearer " KEY_B, "team-b");
	expect_lane(basic("pk-a:sk-a"), "nobody");
	expect_lane(basic("pk-a:sk-a2"), "team-a");
	expect_lane(basic("pk-b:sk-b"), "team-b");
	expect_lane(basic("pk-d:sk-d"), "nobody");
	expect_lane(basic("pk-d2:sk-d"), "default");
	cr_expect_eq(access_gateway_keys(house.access), 3);
}

Test(access, a_reload_with_a_mistake_leaves_everything_as_it_was)
{
	open_access();
	write_keys(house.files[0], "%s", line_of("new", "tg-new"));
	write_keys(house.files[2], "broken");
	cr_expect_eq(reload(&house.config), -EINVAL);
	expect_lane("Bearer tg-new", "nobody");
	expect_lane("Bearer " KEY_D, "default");
	expect_lane("Bearer " KEY_B, "team-b");
}

Test(access, a_project_that_is_taken_out_lets_nobody_in_and_a_new_one_waits_for_a_restart)
{
	open_access();
	struct project_config project = house.projects[0];
	struct config config = house.config;
	project.name = "team-c";
	config.projects = &project;
	config.project_count = 1;
	cr_assert_eq(reload(&config), 0);
	expect_lane(basic("pk-a:sk-a"), "nobody");
	expect_lane("Bearer " KEY_A, "nobody");
	expect_lane("Bearer " KEY_B, "nobody");
	expect_lane("Bearer " KEY_D, "default");
}

/* ---- listening ---- */

static int check(const char *listen, const char *words)
{
	struct complaint complaint = { 0 };
	house.config.listen = (char *)listen;
	int error = access_check(&house.config, &complaint);
	cr_expect(strstr(complaint.text, words), "%s: %s", listen, complaint.text);
	return error;
}

Test(access, others_are_listened_to_with_a_key_or_when_it_is_said_twice)
{
	static const char *const here[] = { "127.0.0.1:4318", "127.7.7.7:0", "[::1]:4318",
		"localhost:4318" };
	static const char *const beyond[] = { "0.0.0.0:4318", "[::]:4318", "192.168.1.7:4318",
		"gateway:4318", "localhost.example.com:4318" };
	house.config.project_count = house.config.destination_count = 0;
	house.config.access.keys_file = NULL;
	for (size_t i = 0; i < sizeof here / sizeof *here; i++)
		cr_expect_eq(check(here[i], ""), 0, "%s", here[i]);
	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		house.config.access.anonymous = ANONYMOUS_LOCAL;
		cr_expect_eq(check(beyond[i], "tollgate key"), -EINVAL, "%s", beyond[i]);
		cr_expect_not(access_is_open(&house.config));
		house.config.access.anonymous = ANONYMOUS_NOBODY;
		cr_expect_eq(check(beyond[i], "access.keys_file"), -EINVAL, "%s", beyond[i]);
		house.config.access.anonymous = ANONYMOUS_EVERYONE;
		cr_expect_eq(check(beyond[i], ""), 0, "%s", beyond[i]);
		cr_expect(access_is_open(&house.config));
		cr_expect_eq(check(here[0], ""), 0);
		cr_expect_not(access_is_open(&house.config));
	}
}

Test(access, any_key_will_do_to_listen_to_others_and_a_file_without_one_will_not)
{
	static const char any[] = "0.0.0.0:4318";
	house.config.project_count = 0;
	house.config.access.keys_file = NULL;
	cr_expect_eq(check(any, ""), 0, "Langfuse's pair");
	house.config.destination_count = 0;
	house.config.access.keys_file = house.files[0];
	cr_expect_eq(check(any, ""), 0, "a gateway key");
	write_keys(house.files[0], "# none yet\n");
	cr_expect_eq(check(any, "there is no key"), -EINVAL);
	write_keys(house.files[0], "none yet\n");
	cr_expect_eq(check("127.0.0.1:4318", "a line must be"), -EINVAL);
}
