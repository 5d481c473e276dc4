/* The table of findings, checks on patients that a daemon is rarely found as, and what is printed of it all. */
#include "doctor/doctor.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/doctor_print.h"
#include "config/key_files.h"
#include "doctor/port.h"
#include "pricing/price.h"
#include "support/scratch.h"

enum { OUT_MAX = 16 << 20, DAY_S = 86400 };

static char directory[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
static struct findings findings;
static char *environment[8];
static struct startup_sources sources = { .environment = environment };
static struct patient patient;

static void begin(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	cr_assert_eq(scratch_make(directory), 0);
	snprintf(file, sizeof file, "%s/own.json", directory);
	memset(environment, 0, sizeof environment);
	sources.file = file;
	patient = (struct patient){ .sources = &sources,
		.url = "http://127.0.0.1:4318",
		.control_error = -ENOENT,
		.control_what = "the daemon is not running" };
	findings = (struct findings){ 0 };
}

static void end(void)
{
	json_decref(patient.spool);
	json_decref(patient.prices);
	findings_done(&findings);
	scratch_remove(directory);
}

TestSuite(doctor, .init = begin, .fini = end);

/* Quotes are written as '. To be freed. */
static char *quoted(const char *text)
{
	char *copy = strdup(text);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return copy;
}

static json_t *json_of(const char *text)
{
	char *copy = quoted(text);
	json_t *json = json_loads(copy, 0, NULL);
	cr_assert(json, "%s", text);
	free(copy);
	return json;
}

static void write_config(const char *text)
{
	char *copy = quoted(text);
	cr_assert_eq(file_replace(file, bytes_of(copy), 0600), 0);
	free(copy);
}

static void expect(enum finding_kind kind, const char *what)
{
	cr_assert_eq(findings.count, 1);
	cr_expect_eq(findings.at[0].kind, kind);
	cr_expect(strstr(findings.at[0].what, what), "%s", findings.at[0].what);
	findings_done(&findings);
}

/* ---- the table ---- */

Test(doctor, each_finding_has_a_name_of_its_own_and_three_sentences)
{
	for (enum finding_kind kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		const struct finding_row *row = &finding_rows[kind];
		cr_assert(row->name && row->what && row->shows && row->mend, "kind %d", kind);
		cr_expect_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(row->name));
		cr_expect_eq(row->what[strlen(row->what) - 1], '.', "%s", row->what);
		cr_expect_eq(row->shows[strlen(row->shows) - 1], '.', "%s", row->shows);
		for (enum finding_kind other = 0; other < kind; other++)
			cr_expect_str_neq(row->name, finding_rows[other].name);
	}
}

Test(doctor, findings_stand_in_the_order_of_the_road_and_then_as_they_came)
{
	findings_add(&findings, FINDING_LAG, "tempo", NULL, NULL);
	findings_add(&findings, FINDING_CLOCK_SKEW, "this machine", NULL, NULL);
	findings_add(&findings, FINDING_PROMPTS_REDACTED, "gemini", NULL, NULL);
	findings_add(&findings, FINDING_DISK_FAILS, "/state", NULL, NULL);
	findings_add(&findings, FINDING_PROMPTS_REDACTED, "codex", "set it", "%d prompts", 3);
	findings_sort(&findings);
	static const char *const wanted[] = { "gemini", "codex", "this machine", "/state",
		"tempo" };
	for (size_t i = 0; i < 5; i++)
		cr_expect_str_eq(findings.at[i].about, wanted[i]);
	cr_expect_str_eq(findings.at[1].what, "3 prompts");
	cr_expect_str_eq(findings.at[1].mend, "set it");
	cr_expect_str_eq(findings.at[0].what, finding_rows[FINDING_PROMPTS_REDACTED].what);
	cr_expect_eq(findings_first_broken(&findings), &findings.at[3]);
	cr_expect_eq(findings_worst(&findings), SEVERITY_BROKEN);
	cr_expect(findings_have(&findings, FINDING_LAG));
	cr_expect_not(findings_have(&findings, FINDING_HELD));
}

Test(doctor, notes_and_warnings_break_nothing)
{
	cr_expect_eq(findings_worst(&findings), SEVERITY_NOTE);
	findings_add(&findings, FINDING_KEY_FILE_NEWLINE, "/key", NULL, NULL);
	cr_expect_eq(findings_worst(&findings), SEVERITY_NOTE);
	findings_add(&findings, FINDING_LAG, "tempo", NULL, NULL);
	cr_expect_eq(findings_worst(&findings), SEVERITY_WARNING);
	cr_expect_null(findings_first_broken(&findings));
}

/* ---- checks ---- */

Test(doctor, a_log_that_waits_for_others_is_told_from_a_full_disk)
{
	static const struct {
		const char *spool, *what; /* NULL: nothing is wrong */
	} cases[] = {
		{ "'refusing': null, 'last_write_failed': null, 'free_bytes': 5, 'min_free_bytes': 9",
			NULL },
		{ "'refusing': 'no space', 'free_bytes': 1048576, 'min_free_bytes': 2097152",
			"the disk has 1 MiB free, and doors close below 2 MiB" },
		{ "'refusing': 'no space', 'kept_bytes': 1048576, 'max_bytes': 1048576",
			"all that spool.max_bytes allows, 1 MiB" },
		{ "'refusing': 'no space', 'kept_bytes': 1, 'max_bytes': 2", "quota is full" },
		{ "'last_write_failed': 'no space', 'kept_bytes': 1, 'max_bytes': 2",
			"quota is full" },
	};
	patient.control_error = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		snprintf(text, sizeof text, "{'spool': {'directory': '/state', %s}}",
			cases[i].spool);
		patient.spool = json_of(text);
		check_disk(&patient, &findings);
		if (cases[i].what)
			expect(FINDING_DISK_FLOOR, cases[i].what);
		cr_expect_eq(findings.count, 0, "%s", cases[i].spool);
		json_decref(patient.spool);
	}
	patient.spool = NULL;
	check_disk(&patient, &findings);
	cr_expect_eq(findings.count, 0);
}

Test(doctor, a_call_that_says_nothing_of_its_tokens_lacks_no_price)
{
	patient.prices = json_of("{'as_of': '2026-11-20', 'age_days': 89, 'names': ["
				 "{'model': 'm', 'why': 'usage_withheld', 'calls': 7}]}");
	check_prices(&patient, &findings);
	cr_expect_eq(findings.count, 0);
}

Test(doctor, of_many_models_without_a_price_the_first_are_named)
{
	patient.prices = json_of(
		"{'as_of': '2026-11-20', 'age_days': 0, 'names': ["
		"{'model': 'a', 'why': 'unknown_model', 'calls': 9}, {'model': 'b', 'why': 'x', 'calls': 8},"
		"{'model': 'c', 'why': '', 'calls': 7}, {'model': 'd', 'why': '', 'calls': 6},"
		"{'model': 'e', 'why': '', 'calls': 5}, {'model': 'f', 'why': '', 'calls': 4}]}");
	check_prices(&patient, &findings);
	expect(FINDING_UNKNOWN_MODELS, "39 calls got no cost, of 6 models: a, b, c, d, e, ...");
}

Test(doctor, without_a_daemon_the_table_of_the_next_start_counts)
{
	struct complaint complaint = { 0 };
	char *json = quoted("{'schema':'tollgate-prices/1','as_of':'2020-01-01','currency':'USD',"
			    "'sources':{},'models':[]}");
	cr_assert_eq(
		prices_parse(bytes_of(json), "test.json", &patient.startup.prices, &complaint), 0);
	check_prices(&patient, &findings);
	expect(FINDING_PRICES_OLD, "the price table is of 2020-01-01, ");
	startup_done(&patient.startup);
	free(json);
}

Test(doctor, a_daemon_that_does_not_answer_is_no_daemon_that_is_not_there)
{
	patient.control_error = -ETIMEDOUT;
	patient.control_what = "the daemon listens, but does not answer";
	check_doors(&patient, &findings);
	cr_expect_str_eq(findings.at[0].mend, "Look at its log, then restart it.");
	expect(FINDING_DAEMON_DOWN, "the daemon listens, but does not answer");
	patient.control_error = -EAGAIN;
	patient.control_mend = "try again";
	check_doors(&patient, &findings);
	cr_expect_str_eq(findings.at[0].mend, "try again");
	expect(FINDING_DAEMON_DOWN, "does not answer");
}

/* ---- files of keys ---- */

static char visited[1024];

static void note(const struct key_file *key_file, void *arg)
{
	size_t len = strlen(visited);
	cr_expect_eq(arg, visited);
	snprintf(visited + len, sizeof visited - len, "%s=%s%s%s\n", key_file->named,
		key_file->path, key_file->is_private ? " private" : "",
		key_file->is_one_key ? " key" : "");
}

Test(doctor, files_of_keys_are_found_in_what_cannot_be_loaded)
{
	environment[0] = (char *)"LANGFUSE_SECRET_KEY_FILE=/e/secret";
	environment[1] = (char *)"TOLLGATE_ACCESS_KEYS_FILE=/e/keys";
	environment[2] = (char *)"LANGFUSE_PUBLIC_KEY=pk-lf-1";
	environment[3] = (char *)"TOLLGATE_TLS_KEY_FILE=";
	write_config("{'spol': 1, 'tls': {'key_file': '/f/tls', 'certificate_file': '/f/crt'},"
		     " 'access': {'keys_file': 7},"
		     " 'destinations': {'l': {'public_key_file': '/f/public', 'ca_file': '/f/ca'},"
		     "  's': {'secret_key_file': '$CREDENTIALS_DIRECTORY/secret'}, 'n': null},"
		     " 'projects': {'a': {'gateway_keys_file': '/f/gateway'}, 'b': []}}");
	key_files_visit(file, environment, note, visited);
	cr_expect_str_eq(visited,
		"tls.key_file=/f/tls private\n"
		"destinations.l.public_key_file=/f/public private key\n"
		"projects.a.gateway_keys_file=/f/gateway\n"
		"TOLLGATE_ACCESS_KEYS_FILE=/e/keys\n"
		"LANGFUSE_SECRET_KEY_FILE=/e/secret private key\n");
}

Test(doctor, what_is_no_configuration_names_no_files)
{
	static const char *const texts[] = { "", "[]", "{'tls': {'key_file': '/x'}", "7" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_config(texts[i]);
		key_files_visit(file, environment, note, visited);
	}
	key_files_visit("/nonexistent/own.json", environment, note, visited);
	key_files_visit(NULL, environment, note, visited);
	cr_expect_str_eq(visited, "");
}

Test(doctor, a_complaint_about_a_key_file_is_explained_by_that_file_alone)
{
	struct complaint complaint = { .text = "x names /nonexistent/secret, which ..." };
	struct complaint other = { .text = "x names /nonexistent/public, which ..." };
	write_config("{'destinations': {'l': {'secret_key_file': '/nonexistent/secret'}}}");
	cr_expect(keys_explain(&patient, &complaint));
	cr_expect_not(keys_explain(&patient, &other));
	check_keys(&patient, &findings);
	expect(FINDING_KEY_FILE_MISSING, "/nonexistent/secret, which is not there");
}

/* ---- who has a port ---- */

static int listen_at(int family, unsigned *ret_port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { .any.sa_family = (sa_family_t)family };
	socklen_t len = family == AF_INET ? sizeof name.v4 : sizeof name.v6;
	if (family == AF_INET)
		name.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		name.v6.sin6_addr = in6addr_loopback;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &name.any, len) < 0 || listen(fd, 1) < 0 ||
		getsockname(fd, &name.any, &len) < 0)
		cr_skip_test("no such addresses here");
	*ret_port = ntohs(family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
	return fd;
}

static void expect_owned(int family)
{
	struct port_owner owner;
	unsigned port;
	int fd = listen_at(family, &port);
	cr_assert_eq(port_owner_find(port, &owner), 0);
	cr_expect_eq(owner.process, getpid());
	cr_expect_eq(owner.user, geteuid());
	cr_expect_neq(owner.program[0], '\0');
	close(fd);
	cr_expect_eq(port_owner_find(port, &owner), -ENOENT);
}

Test(doctor, the_owner_of_a_port_is_found)
{
	expect_owned(AF_INET);
}

Test(doctor, the_owner_of_a_port_of_ipv6_is_found)
{
	expect_owned(AF_INET6);
}

/* ---- what is printed ---- */

static const char *print(size_t width)
{
	static struct buf out;
	const struct terminal terminal = { .width = width, .has_unicode = true };
	buf_done(&out);
	buf_init(&out, OUT_MAX, NULL);
	doctor_print(&findings, &terminal, &out);
	buf_append(&out, "", 1);
	cr_assert_eq(out.error, 0);
	return (const char *)out.at;
}

Test(doctor, a_page_says_the_first_broken_hop_then_the_road_then_each_finding)
{
	findings_add(&findings, FINDING_PORT_TAKEN, "127.0.0.1:4318", "Stop it.",
		"alloy (process 12 of the user root) listens at 127.0.0.1:4318");
	findings_add(&findings, FINDING_KEY_FILE_NEWLINE, "/key", NULL, "x names /key");
	cr_expect_str_eq(print(80),
		"First broken hop: door (port-taken)\n"
		"\n"
		"  tool         ok\n"
		"  door         port-taken\n"
		"  daemon       key-file-newline\n"
		"  disk         ok\n"
		"  prices       ok\n"
		"  destination  ok\n"
		"\n"
		"broken: port-taken: 127.0.0.1:4318\n"
		"  What   alloy (process 12 of the user root) listens at 127.0.0.1:4318\n"
		"  Shows  The daemon does not start, and tools post their telemetry to the other\n"
		"         program.\n"
		"  Mend   Stop it.\n"
		"\n"
		"note: key-file-newline: /key\n"
		"  What   x names /key\n"
		"  Shows  Tollgate takes it off; another program that reads the file may send it\n"
		"         with the key and get 401.\n"
		"  Mend   Write it without: printf %s KEY > FILE\n");
}

Test(doctor, warnings_alone_are_not_nothing)
{
	cr_expect_eq(strncmp(print(80), "Nothing is wrong.\n", 18), 0);
	findings_add(&findings, FINDING_PRICES_OLD, "prices", NULL, NULL);
	cr_expect_eq(strncmp(print(80), "Nothing is broken.\n", 19), 0);
}

Test(doctor, a_page_fits_and_obeys_no_sender)
{
	for (enum finding_kind kind = 0; kind < FINDING_KIND_COUNT; kind++)
		findings_add(&findings, kind, "name\033[31m of\na sender", NULL,
			"what \033]0;a title\007 it\r\nsent");
	findings_sort(&findings);
	for (size_t width = 20; width <= 200; width += 30) {
		const struct terminal terminal = { .width = width, .has_unicode = true };
		const char *page = print(width);
		cr_expect_eq(strcspn(page, "\033\007\r"), strlen(page));
		for (size_t len; *page; page += len + 1) {
			len = strcspn(page, "\n");
			const struct bytes line = { (const uint8_t *)page, len };
			cr_expect_leq(
				terminal_columns(&terminal, line), width, "%.*s", (int)len, page);
		}
	}
}

Test(doctor, programs_get_names_that_stay)
{
	findings_add(&findings, FINDING_PRICES_OLD, "prices", "m", "w");
	findings_add(&findings, FINDING_HELD, "tempo", "m", "w");
	findings_sort(&findings);
	json_t *answer = doctor_json(&findings);
	const json_t *list = json_object_get(answer, "findings");
	json_t *wanted = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", "prices-old",
		"hop", "prices", "severity", "warning", "about", "prices", "what", "w", "shows",
		finding_rows[FINDING_PRICES_OLD].shows, "mend", "m");
	cr_expect(json_equal(json_array_get(list, 0), wanted));
	cr_expect_str_eq(json_string_value(json_object_get(answer, "first_broken")), "held");
	size_t count = 0;
	while (checks[count].name)
		count++;
	cr_expect_eq(json_array_size(json_object_get(answer, "checked")), count);
	json_decref(wanted);
	json_decref(answer);
}
