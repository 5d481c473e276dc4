/* Every mistake a person can make in the configuration, and the exact words they are told. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/tollgate-complaints-XXXXXX";
#define PATH "tollgate.json" /* in it */
static struct complaint complaint;

static void begin(void)
{
	cr_assert(mkdtemp(directory));
	cr_assert(chdir(directory) == 0);
}

static void end(void)
{
	unlink(PATH);
	rmdir(directory);
}

TestSuite(complaints, .init = begin, .fini = end);

static const char *write_file(const char *text, mode_t mode)
{
	FILE *file = fopen(PATH, "w");
	cr_assert(file);
	fputs(text, file);
	cr_assert(fclose(file) == 0);
	cr_assert(chmod(PATH, mode) == 0);
	return PATH;
}

/* 512 bytes */
#define EIGHT(x) x x x x x x x x
#define LONG_KEY EIGHT(EIGHT("12345678"))

#define LANGFUSE_KEYS "LANGFUSE_PUBLIC_KEY=pk-lf-1", "LANGFUSE_SECRET_KEY=sk-lf-1"

/* clang-format off */
static const struct mistake {
	const char *json; /* NULL: no file */
	const char *environment[3];
	const char *flag;
	mode_t mode; /* of the file; 0: 0600 */
	int line;
	const char *words;
} mistakes[] = {
	/* form of the file */
	{ "", .line = 1,
		.words = "no valid JSON at column 0: '[' or '{' expected near end of file" },
	{ "{\n \"listen\" \"x\"}", .line = 2, .words = "no valid JSON at column 13: ':' expected" },
	{ "{\"listen\": \"127.0.0.1:1\",\n\"listen\": \"127.0.0.1:2\"}", .line = 2,
		.words = "no valid JSON at column 8: duplicate object key near '\"listen\"'" },
	{ "[]", .words = "the configuration must be a JSON object: { ... }" },
	{ "{\"listen\": \"sk-lf-hidden", .line = 1,
		.words = "no valid JSON at column 24: premature end of input" },

	/* unknown keys */
	{ "{\n\n\"lisen\": \"127.0.0.1:4318\"}", .line = 3,
		.words = "lisen is no setting; the nearest is listen" },
	{ "{\"http\": {\n\"thread\": 2}}", .line = 2,
		.words = "http.thread is no setting; the nearest is http.threads" },
	{ "{\"htp\": {\"threads\": 2}}", .line = 1,
		.words = "htp is no setting; the nearest is http" },
	{ "{\"destination\": {}}", .line = 1,
		.words = "destination is no setting; the nearest is destinations" },
	{ "{\"threads\": 2}", .line = 1,
		.words = "threads is no setting; the nearest is http.threads" },
	{ "{\"limits\": {\"max_bytes\": 2}}", .line = 1,
		.words = "limits.max_bytes is no setting; the nearest is spool.max_bytes" },
	{ "{\"http.threads\": 2}", .line = 1,
		.words =
			"http.threads must be written as nested objects: {\"http\": {\"threads\": ...}}" },
	{ "{\"destinations\": {\"tempo\": {\"type\": \"otlp\",\n\"endpont\": \"http://tempo:4318\"}}}",
		.line = 2,
		.words =
			"destinations.tempo.endpont is no setting; the nearest is destinations.tempo.endpoint" },
	{ "{\"li\\nsten\": 1}", .words = "\"li\\x0asten\" is no setting; the nearest is listen" },
	{ "{\"identity\": {\"user\": \"x\",\n\"tags\": []}}", .line = 1,
		.words = "identity.user is no setting; the nearest is identity.user_id" },

	{ "{\"destinations\": {\"langfuse\": {\"type\": \"langfuse\", \"public_key\": \"pk\",\n"
	  "\"secret_key\": \"sk\", \"headers\": {\"authorization\": \"Basic x\"}}}}",
		.line = 1,
		.words =
			"destinations.langfuse.headers has Authorization, which is made of public_key and "
			"secret_key" },

	/* wrong kinds */
	{ "{\"http\": {\"threads\": \"two\"}}", .line = 1,
		.words = "http.threads must be a whole number, not the text two" },
	{ "{\"http\": {\"threads\": 2.5}}", .line = 1,
		.words = "http.threads must be a whole number, not 2.5" },
	{ "{\"http\": 2}", .line = 1, .words = "http must be an object with settings in it" },
	{ "{\"listen\": 4318}", .line = 1, .words = "listen must be a text, not 4318" },
	{ "{\"content\": {\"flatten_messages\": \"yes\"}}", .line = 1,
		.words = "content.flatten_messages must be true or false, not the text yes" },
	{ "{\"identity\": {\"tags\": \"a\"}}", .line = 1,
		.words =
			"identity.tags must be a list of texts such as [\"team-a\", \"ci\"], not the text a" },
	{ "{\"identity\": {\"tags\": [\"a\", 2]}}", .line = 1,
		.words = "identity.tags must hold texts of 1 to 200 bytes; item 2 is none" },
	{ "{\"identity\": {\"user_from\": \"user.email\"}}", .line = 1,
		.words =
			"identity.user_from must be a list of texts such as [\"team-a\", \"ci\"], not the text "
			"user.email" },
	{ "{\"identity\": {\"tags_from_resource\": [\"team\", \"\"]}}", .line = 1,
		.words =
			"identity.tags_from_resource must hold texts of 1 to 200 bytes; item 2 is none" },
	{ "{\"identity\": {\"tags_from_resources\": []}}", .line = 1,
		.words =
			"identity.tags_from_resources is no setting; the nearest is identity.tags_from_resource" },
	{ "{\"identity\": {\"release_from\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\","
	  " \"j\", \"k\", \"l\", \"m\", \"n\", \"o\", \"p\", \"q\"]}}",
		.line = 1, .words = "identity.release_from must have at most 16 items, not 17" },
	{ "{\"http\": {\"idle_timeout_ms\": \"75s\"}}", .line = 1,
		.words =
			"http.idle_timeout_ms must be a whole number of milliseconds, not the text 75s" },
	{ "{\"spool\": {\"max_bytes\": \"10 gigs\"}}", .line = 1,
		.words =
			"spool.max_bytes must be a number of bytes such as 67108864 or \"64MiB\", not \"10 gigs\"" },
	{ "{\"log_level\": \"loud\"}", .line = 1,
		.words = "log_level must be one of error, warning, info, debug, not loud" },
	{ "{\"spool\": {\"compression\": \"zstd\"}}", .line = 1,
		.words = "spool.compression must be one of gzip, none, not zstd" },

	/* bounds */
	{ "{\"http\": {\n\"max_connections\": 10,\n\"threads\": 0}}", .line = 3,
		.words = "http.threads must be from 1 to 64 threads, not 0" },
	{ "{\"http\": {\"threads\": -1}}", .line = 1,
		.words = "http.threads must be from 1 to 64 threads, not -1" },
	{ "{\"spool\": {\"segment_bytes\": 1}}", .line = 1,
		.words = "spool.segment_bytes must be from 64KiB to 1GiB, not 1" },
	{ "{\"spool\": {\"max_bytes\": \"99999999TiB\"}}", .line = 1,
		.words = "spool.max_bytes must be from 1MiB to 1024TiB, not 99999999TiB" },
	{ "{\"shutdown_timeout_ms\": 3600001}", .line = 1,
		.words = "shutdown_timeout_ms must be from 0 to 3600000 ms, not 3600001" },
	{ "{\"identity\": {\"user_id\": \"\"}}", .line = 1,
		.words = "identity.user_id must be from 1 to 200 bytes long, not 0" },

	/* texts that must look like something */
	{ "{\"listen\": \"4318\"}", .line = 1,
		.words =
			"listen must be host:port such as 127.0.0.1:4318 or [::1]:4318, not 4318" },
	{ "{\"listen\": \"::1:4318\"}", .line = 1,
		.words =
			"listen must be host:port such as 127.0.0.1:4318 or [::1]:4318, not ::1:4318" },
	{ "{\"listen\": \"127.0.0.1:65536\"}", .line = 1,
		.words =
			"listen must be host:port with a port from 0 to 65535, not 127.0.0.1:65536" },
	{ "{\"identity\": {\"environment\": \"langfuse-prod\"}}", .line = 1,
		.words =
			"identity.environment must be at most 40 of a-z, 0-9, - and _, not beginning with \"langfuse\", "
			"not langfuse-prod" },
	{ "{\"identity\": {\"environment\": \"a b\"}}", .line = 1,
		.words =
			"identity.environment must be at most 40 of a-z, 0-9, - and _, not beginning with \"langfuse\", "
			"not \"a b\"" },

	/* destinations */
	{ "{\"destinations\": []}", .line = 1,
		.words = "destinations must be an object with settings in it" },
	{ "{\"destinations\": {\"a\": \"http://x\"}}", .line = 1,
		.words =
			"destinations.a must be an object such as {\"type\": \"otlp\", \"endpoint\": "
			"\"http://127.0.0.1:4318\"}" },
	{ "{\"destinations\": {\"Tempo 1\": {}}}", .line = 1,
		.words =
			"the name of a destination must be 1 to 32 of a-z, 0-9, - and _, not \"Tempo 1\"" },
	{ "{\"destinations\": {\"a.b\": {}}}", .line = 1,
		.words =
			"the name of a destination must be 1 to 32 of a-z, 0-9, - and _, not a.b" },
	{ "{\"destinations\": {\n\"a\": {}}}", .line = 2,
		.words = "destinations.a.type is missing: write one of langfuse, otlp" },
	{ "{\"destinations\": {\"a\": {\n\"type\": \"tempo\"}}}", .line = 2,
		.words = "destinations.a.type must be one of langfuse, otlp, not tempo" },
	{ "{\"destinations\": {\n\n\"a\": {\"type\": \"otlp\"}}}", .line = 3,
		.words =
			"destinations.a.endpoint is missing: write a URL such as http://127.0.0.1:4318" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"tempo:4318\"}}}",
		.line = 1,
		.words =
			"destinations.a.endpoint must be a URL such as http://127.0.0.1:4318, not tempo:4318" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://u:p@tempo\"}}}",
		.line = 1,
		.words =
			"destinations.a.endpoint must be a URL without user and password (use keys or headers)" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://tempo/?a=b\"}}}", .line = 1,
	  .words = "destinations.a.endpoint must be a URL without ? and #, not \"http://tempo/?a=b\"" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http:///\"}}}", .line = 1,
	  .words = "destinations.a.endpoint must be a URL such as http://127.0.0.1:4318, not http:///" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\"}}}", .line = 1,
		.words = "destinations.a needs public_key and secret_key (or secret_key_file)" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key\": \"sk\"}}}",
		.line = 1,
		.words = "destinations.a needs public_key and secret_key (or public_key_file)" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\",\n\"secret_key\": \"s k\"}}}",
		.line = 2,
		.words = "destinations.a.secret_key must be one word without blanks and colons" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key\": 12345}}}", .line = 1,
		.words = "destinations.a.secret_key must be a text" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key\": \"sk\", \"secret_key_file\": \"f\"}}}",
		.line = 1,
		.words = "destinations.a has both secret_key and secret_key_file: keep one" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key_file\": \"/no/such\"}}}",
		.line = 1,
		.words =
			"destinations.a.secret_key_file names /no/such, which cannot be read: No such file or directory" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key_file\": \"/\"}}}",
		.line = 1,
		.words = "destinations.a.secret_key_file must name a plain file; / is none" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\", \"public_key\": \"k\"}}}",
		.line = 1,
		.words = "destinations.a has keys, which only type langfuse takes: use headers" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\", \"ca_file\": \"/no/such\"}}}",
		.line = 1,
		.words =
			"destinations.a.ca_file must be the path of a file that can be read, not /no/such" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"headers\": {\"X Y\": \"1\"}}}}",
		.line = 1,
		.words =
			"the name of a header in destinations.a.headers must be letters, digits and -, not \"X Y\"" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"headers\": {\"X-Y\": \"1\\r\\nZ: 2\"}}}}",
		.line = 1, .words = "destinations.a.headers.X-Y must be one line" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"headers\": {\"X-Y\": 1}}}}", .line = 1,
		.words = "destinations.a.headers.X-Y must be a text" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"headers\": [\"X-Y\"]}}}", .line = 1,
		.words =
			"destinations.a.headers must be an object of texts such as {\"X-Scope-OrgID\": \"team-a\"}" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\", \"retry_max_ms\": 10}}}",
		.line = 1,
		.words = "destinations.a.retry_initial_ms must not be above retry_max_ms" },

	{ "{\"destinations\": {\n\"local\": {\"type\": \"otlp\", \"endpoint\": \"http://x\"}}}", .line = 2,
		.words =
			"destinations.local is the local view, which is set by local.*: choose another name" },
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"secret_key\": \"" LONG_KEY "\"}}}", .line = 1,
		.words = "destinations.a.secret_key must be from 1 to 500 bytes long, not 512" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"traces_endpoint\": \"http://u:p@tempo/x\"}}}",
		.line = 1,
		.words =
			"destinations.a.traces_endpoint must be a URL without user and password (use keys or headers)" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\", \"enabled\": \"no\"}}}",
		.line = 1,
		.words = "destinations.a.enabled must be true or false, not the text no" },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\", \"in_flight\": 65}}}",
		.line = 1,
		.words = "destinations.a.in_flight must be from 1 to 64 requests, not 65" },

	/* secrets that everyone can read */
	{ "{\"destinations\": {\"a\": {\"type\": \"langfuse\", \"public_key\": \"pk\",\n\"secret_key\": \"sk\"}}}",
		.mode = 0644, .line = 2,
		.words =
			"destinations.a.secret_key stands in a file that everyone can read: chmod o= " PATH },
	{ "{\"destinations\": {\"a\": {\"type\": \"otlp\", \"endpoint\": \"http://x\",\n"
	  "\"headers\": {\"X-Scope-OrgID\": \"a\", \"Authorization\": \"Bearer t\"}}}}",
		.mode = 0604, .line = 2,
		.words =
			"destinations.a.headers stands in a file that everyone can read: chmod o= " PATH },

	/* files and groups that are not there */
	{ "{\"pricing\": {\n\"file\": \"/no/such\"}}", .line = 2,
		.words =
			"pricing.file must be the path of a file that can be read, not /no/such" },
	{ "{\n\"control_group\": \"no such group\"}", .line = 2,
		.words =
			"control_group must be the name of a group that is known here, not \"no such group\"" },
	{ "{\"state_directory\": \"/s\",\n\"control_group\": \"root\"}", .line = 2,
		.words =
			"control_group cannot reach /s/control.sock: the state directory is its owner's alone; "
			"set control_socket, such as /run/tollgate/control.sock" },
	{ "{\"state_directory\": \"/s\", \"control_socket\": \"/s/run/c\",\n\"control_group\": \"root\"}",
		.line = 2,
		.words =
			"control_group cannot reach /s/run/c: the state directory is its owner's alone; "
			"set control_socket, such as /run/tollgate/control.sock" },

	/* the local view */
	{ "{\"local\": false}", .line = 1, .words = "local must be an object with settings in it" },
	{ "{\"local\": {\"enable\": false}}", .line = 1,
		.words = "local.enable is no setting; the nearest is local.enabled" },
	{ "{\"local\": {\"max_age_days\": \"30d\"}}", .line = 1,
		.words = "local.max_age_days must be a whole number, not the text 30d" },

	/* settings that must fit each other */
	{ "{\"spool\": {\n\"segment_bytes\": \"1MiB\"}}", .line = 2,
		.words =
			"spool.segment_bytes must be at least 4532768, so that a record of spool.max_record_bytes fits" },
	{ "{\"spool\": {\"max_bytes\": \"32MiB\"}}", .line = 1,
		.words = "spool.max_bytes must be at least spool.segment_bytes, 67108864" },
	{ "{\"limits\": {\"max_memory_bytes\": \"1MiB\"}}", .line = 1,
		.words =
			"limits.max_memory_bytes must be at least limits.max_request_memory_bytes, 268435456" },

	/* the environment */
	{ .environment = { "TOLLGATE_HTTP_THREADS=two" },
		.words = "TOLLGATE_HTTP_THREADS must be a whole number, not two" },
	{ .environment = { "TOLLGATE_HTTP_THREADS=65" },
		.words = "TOLLGATE_HTTP_THREADS must be from 1 to 64 threads, not 65" },
	{ .environment = { "TOLLGATE_HTTP_TREADS=2" },
		.words =
			"TOLLGATE_HTTP_TREADS is no variable of tollgate; the nearest is TOLLGATE_HTTP_THREADS" },
	{ .environment = { "TOLLGATE_CONTENT_FLATTEN_MESSAGES=maybe" },
		.words = "TOLLGATE_CONTENT_FLATTEN_MESSAGES must be true or false, not maybe" },
	{ .environment = { "LANGFUSE_PUBLIC_KEY=pk-lf-1" },
		.words =
			"LANGFUSE_PUBLIC_KEY is set, but LANGFUSE_SECRET_KEY is not: set both or none" },
	{ .environment = { "LANGFUSE_SECRET_KEY_FILE=/run/key" },
		.words =
			"LANGFUSE_SECRET_KEY is set, but LANGFUSE_PUBLIC_KEY is not: set both or none" },
	{ .environment = { LANGFUSE_KEYS, "LANGFUSE_SECRET_KEY_FILE=/run/key" },
		.words =
			"LANGFUSE_SECRET_KEY and LANGFUSE_SECRET_KEY_FILE are both set: keep one" },
	{ .environment = { LANGFUSE_KEYS, "LANGFUSE_FLUSH_INTERVAL=soon" },
		.words =
			"LANGFUSE_FLUSH_INTERVAL must be a number of seconds such as 5 or 0.5, not soon" },
	{ .environment = { LANGFUSE_KEYS, "LANGFUSE_BASE_URL=cloud.langfuse.com" },
		.words =
			"LANGFUSE_BASE_URL must be a URL such as http://127.0.0.1:4318, not cloud.langfuse.com" },
	{ .environment = { "LANGFUSE_TAGS=[\"a\"" },
		.words =
			"LANGFUSE_TAGS must be a list of texts such as [\"team-a\", \"ci\"], not \"[\\\"a\\\"\"" },
	{ .environment = { "LANGFUSE_TRACING_ENVIRONMENT=langfuse" },
		.words =
			"LANGFUSE_TRACING_ENVIRONMENT must be at most 40 of a-z, 0-9, - and _, not beginning with "
			"\"langfuse\", not langfuse" },
	{ .environment = { "LANGFUSE_USER_ID=J\xf6rg" }, .words = "LANGFUSE_USER_ID must be UTF-8" },
	{ .environment = { "LANGFUSE_DEBUG=loud" },
		.words = "LANGFUSE_DEBUG must be true or false, not loud" },
	{ .environment = { "TOLLGATE_TEMPO_ENDPOINT=http://x", "TOLLGATE_TEMPO_HEADERS=secret" },
		.words =
			"TOLLGATE_TEMPO_HEADERS must be headers such as X-Scope-OrgID=team-a,X-Other=b" },
	{ "{\"destinations\": {\"langfuse\": {\"type\": \"otlp\", \"endpoint\": \"http://x\"}}}",
		.environment = { "LANGFUSE_HOST=http://y" },
		.words =
			"LANGFUSE_HOST is for a destination of type langfuse, but destinations.langfuse is none: rename it" },

	{ .environment = { "TOLLGATE_CONTROL_GROUP=root", "TOLLGATE_STATE_DIRECTORY=/s//",
		  "TOLLGATE_CONTROL_SOCKET=/s/control.sock" },
		.words =
			"control_group cannot reach /s/control.sock: the state directory is its owner's alone; "
			"set control_socket, such as /run/tollgate/control.sock" },
	{ .environment = { "TOLLGATE_PRICING_FILE=/no/such" },
		.words =
			"TOLLGATE_PRICING_FILE must be the path of a file that can be read, not /no/such" },
	{ .environment = { "TOLLGATE_STATE_DIRECTORY=J\xf6rg" },
		.words = "TOLLGATE_STATE_DIRECTORY must be UTF-8" },
	{ .environment = { "LANGFUSE_PUBLIC_KEY=pk", "LANGFUSE_SECRET_KEY_FILE=/no/such" },
		.words =
			"LANGFUSE_SECRET_KEY_FILE names /no/such, which cannot be read: No such file or directory" },
	{ .environment = { "TOLLGATE_CONFG=/x" },
		.words = "TOLLGATE_CONFG is no variable of tollgate; the nearest is TOLLGATE_CONFIG" },

	/* flags */
	{ .flag = "local.max_lag_bytes=1",
		.words = "--set local.max_lag_bytes must be from 1MiB to 1TiB, not 1" },
	{ .flag = "destinations.tempo.endpoint=http://x",
		.words =
			"--set destinations.tempo.endpoint: neither file nor environment has this destination" },
	{ .flag = "http.threads", .words = "--set http.threads must be written as name=value" },
	{ .flag = "http.threads=many",
		.words = "--set http.threads must be a whole number, not many" },
	{ .flag = "http.thread=2",
		.words = "http.thread is no setting; the nearest is http.threads" },
	{ .flag = "destinations.langfuse.secret_key=sk",
		.environment = { LANGFUSE_KEYS },
		.words =
			"--set destinations.langfuse.secret_key: every process can read flags; write it in the "
			"configuration file" },
	{ .flag = "destinations.langfuse.headers=a=b",
		.environment = { LANGFUSE_KEYS },
		.words =
			"--set destinations.langfuse.headers: every process can read flags; write it in the "
			"configuration file" },
};
/* clang-format on */

Test(complaints, every_mistake_is_told_with_its_place_and_what_to_write)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		const struct mistake *mistake = &mistakes[i];
		char *flags[] = { (char *)mistake->flag, NULL };
		char *environment[] = { "HOME=/home/nobody", (char *)mistake->environment[0],
			(char *)mistake->environment[1], (char *)mistake->environment[2], NULL };
		struct config *config = NULL;
		char **notes = NULL;
		mode_t mode = mistake->mode ? mistake->mode : 0600;
		int error = config_load(mistake->json ? write_file(mistake->json, mode) : NULL,
			environment, flags, &config, &notes, &complaint);
		cr_expect(error == -EINVAL, "taken: %s", mistake->words);
		cr_expect_str_eq(complaint.text, mistake->words);
		cr_expect(complaint.line == mistake->line, "%s: line %d, not %d", mistake->words,
			complaint.line, mistake->line);
		bool in_file = mistake->json && !mistake->environment[0];
		cr_expect_str_eq(complaint.file, in_file ? PATH : "");
		cr_expect_null(config);
		cr_expect_null(notes);
	}
}
