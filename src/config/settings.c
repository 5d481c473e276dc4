#include "config/settings.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/checks.h"
#include "config/config.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define SETTING(member, kind) \
	.name = #member, .type = kind, .offset = offsetof(struct config, member)
#define DESTINATION(member, kind) \
	.name = #member, .type = kind, .offset = offsetof(struct destination_config, member)
#define PROJECT(member, kind) \
	.name = #member, .type = kind, .offset = offsetof(struct project_config, member)

enum {
	NAME_MAX_BYTES = 200, /* of user, tag and alike: the Langfuse SDKs drop longer ones */
	TEXT_MAX_BYTES = 4096,
};
#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define HOUR_MS UINT64_C(3600000)

const struct setting settings[] = {
	{ SETTING(listen, SETTING_TEXT), .min = 1, .max = 300, .fallback = "127.0.0.1:4318",
		.check = check_address,
		.sentence = "Where OTLP is received, as host:port; port 0 takes any free one." },
	{ SETTING(state_directory, SETTING_PATH), .min = 1, .max = TEXT_MAX_BYTES,
		.sentence = "Holds the spool; unset: $STATE_DIRECTORY, $XDG_STATE_HOME/tollgate or "
			    "$HOME/.local/state/tollgate." },
	{ SETTING(control_socket, SETTING_PATH), .min = 1, .max = TEXT_MAX_BYTES,
		.sentence = "Where the other commands reach the daemon; unset: control.sock in "
			    "$RUNTIME_DIRECTORY, else in the state directory." },
	{ SETTING(control_group, SETTING_TEXT), .min = 1, .max = 64, .check = check_group,
		.sentence = "Members of this group may use the control socket too." },
	{ SETTING(log_level, SETTING_TEXT), .is_reloaded = true, .min = 1, .max = 16,
		.fallback = "info", .choices = "error warning info debug",
		.sentence = "The least important line that is logged." },
	{ SETTING(shutdown_timeout_ms, SETTING_MILLISECONDS), .max = HOUR_MS, .fallback = "10000",
		.sentence =
			"What exporters get to finish after SIGTERM; the rest is sent after the next start." },

	{ SETTING(http.threads, SETTING_COUNT), .min = 1, .max = 64, .fallback = "2",
		.unit = "threads", .sentence = "Receive and enrich requests." },
	{ SETTING(http.max_connections, SETTING_COUNT), .min = 1, .max = 65536, .fallback = "1024",
		.unit = "connections", .sentence = "Open at once; further ones are closed." },
	{ SETTING(http.request_timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "30000", .sentence = "From the first byte of a request to its last." },
	{ SETTING(http.idle_timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "75000",
		.sentence = "How long a connection may wait for its next request." },

	{ SETTING(limits.max_body_bytes, SETTING_BYTES), .min = KIB, .max = GIB,
		.fallback = "64MiB",
		.sentence = "Of a request as it is sent; larger ones are answered 413." },
	{ SETTING(limits.max_decompressed_bytes, SETTING_BYTES), .min = KIB, .max = GIB,
		.fallback = "64MiB",
		.sentence = "Of a request after decompression; larger ones are answered 413." },
	{ SETTING(limits.max_depth, SETTING_COUNT), .min = 10, .max = 1000, .fallback = "100",
		.unit = "levels", .sentence = "Messages within messages in one request." },
	{ SETTING(limits.max_spans, SETTING_COUNT), .min = 1, .max = 10000000, .fallback = "200000",
		.unit = "spans",
		.sentence =
			"Or log records, or metrics, or events for Langfuse, in one request; larger ones are "
			"answered 413, or for Langfuse passed on without being kept." },
	{ SETTING(limits.max_request_memory_bytes, SETTING_BYTES), .min = MIB, .max = 16 * GIB,
		.fallback = "256MiB",
		.sentence = "What handling one request may take; over it is answered 413." },
	{ SETTING(limits.max_memory_bytes, SETTING_BYTES), .min = MIB, .max = TIB,
		.fallback = "512MiB",
		.sentence = "What all requests may take together; over it is answered 503." },

	{ SETTING(spool.max_bytes, SETTING_BYTES), .min = MIB, .max = 1024 * TIB,
		.fallback = "10GiB",
		.sentence =
			"Of batches that wait for a destination; when full, doors answer 503." },
	{ SETTING(spool.min_free_bytes, SETTING_BYTES), .max = 1024 * TIB, .fallback = "256MiB",
		.sentence = "Free disk below which doors answer 503." },
	{ SETTING(spool.segment_bytes, SETTING_BYTES), .min = 64 * KIB, .max = GIB,
		.fallback = "64MiB", .sentence = "Of one file of the spool." },
	{ SETTING(spool.max_record_bytes, SETTING_BYTES), .min = 4 * KIB, .max = 256 * MIB,
		.fallback = "4MB",
		.sentence =
			"Of one stored batch before compression; larger requests are cut between spans." },
	{ SETTING(spool.max_dead_bytes, SETTING_BYTES), .max = 1024 * TIB, .fallback = "256MiB",
		.sentence =
			"Of requests that a destination refuses for ever; when full, they wait instead "
			"of being set aside." },
	{ SETTING(spool.cache_bytes, SETTING_BYTES), .max = 64 * GIB, .fallback = "8MiB",
		.sentence = "Newest batches kept in memory for the exporters." },
	{ SETTING(spool.silence_timeout_ms, SETTING_MILLISECONDS), .max = 24 * HOUR_MS,
		.fallback = "120000",
		.sentence =
			"A destination that answers no more for so long, while another does, loses its "
			"oldest batches once it keeps seven eighths of max_bytes." },
	{ SETTING(spool.compression, SETTING_TEXT), .min = 1, .max = 16, .fallback = "gzip",
		.choices = "gzip none",
		.sentence = "Of batches, as they are stored and as they are sent." },

	{ SETTING(identity.user_id, SETTING_TEXT), .min = 1, .max = NAME_MAX_BYTES,
		.sentence = "User of spans that name none." },
	{ SETTING(identity.tags, SETTING_LIST), .max = 100,
		.count_offset = offsetof(struct config, identity.tag_count),
		.sentence = "Tags of spans that have none." },
	{ SETTING(identity.environment, SETTING_TEXT), .min = 1, .max = NAME_MAX_BYTES,
		.check = check_environment,
		.sentence = "Environment of spans that name none, in lower case." },
	{ SETTING(identity.release, SETTING_TEXT), .min = 1, .max = NAME_MAX_BYTES,
		.sentence = "Release of spans that name none." },
	{ SETTING(identity.user_from, SETTING_LIST), .max = 16,
		.count_offset = offsetof(struct config, identity.user_from_count),
		.sentence =
			"Attributes of spans and resources that name the user before all others, "
			"such as user.email, which is personal." },
	{ SETTING(identity.release_from, SETTING_LIST), .max = 16,
		.count_offset = offsetof(struct config, identity.release_from_count),
		.sentence = "Attributes of spans and resources that name the release where "
			    "langfuse.release does not, such as vcs.ref.head.revision." },
	{ SETTING(identity.tags_from_resource, SETTING_LIST), .max = 16,
		.fallback = "team,team.id,department,env,environment",
		.count_offset = offsetof(struct config, identity.tags_from_resource_count),
		.sentence = "Attributes of resources that become tags, such as team:platform, and "
			    "metadata of the trace; [] for none." },

	{ SETTING(content.flatten_messages, SETTING_BOOL), .fallback = "false",
		.sentence = "Also writes message JSON as llm.input_messages.N.* attributes." },
	{ SETTING(content.flatten_max_messages, SETTING_COUNT), .min = 1, .max = 1024,
		.fallback = "128", .unit = "messages",
		.sentence = "Of input and of output; older ones are left in input.value alone." },
	{ SETTING(content.flatten_max_bytes, SETTING_BYTES), .min = KIB, .max = 64 * MIB,
		.fallback = "256KiB",
		.sentence = "Of messages that are flattened; older ones, as above." },

	{ SETTING(pricing.file, SETTING_PATH), .is_reloaded = true, .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_readable,
		.sentence = "A price table; unset: the one that was built in." },
	{ SETTING(pricing.overrides, SETTING_PATH), .is_reloaded = true, .min = 1,
		.max = TEXT_MAX_BYTES, .check = check_readable,
		.sentence = "Prices of your own, which win over that table." },

	{ SETTING(sessions.enabled, SETTING_BOOL), .fallback = "true",
		.sentence =
			"Makes traces of what coding CLIs say in logs, hooks and spans; false: their spans "
			"pass as those of others do, and their logs only travel on." },
	{ SETTING(sessions.trace_scope, SETTING_CHOICE), .choices = "turn session",
		.fallback = "turn", .sentence = "What one trace is: a turn, or all of a session." },
	{ SETTING(sessions.turn_end, SETTING_CHOICE), .choices = "auto hooks heuristic",
		.fallback = "auto",
		.sentence =
			"What says that a turn is over: hooks where a session sends some, hooks alone, "
			"or what was called last." },
	{ SETTING(sessions.join_wait_ms, SETTING_MILLISECONDS), .max = HOUR_MS, .fallback = "10000",
		.sentence = "How long an event waits for what belongs to it." },
	{ SETTING(sessions.turn_idle_ms, SETTING_MILLISECONDS), .min = 10, .max = 24 * HOUR_MS,
		.fallback = "15000",
		.sentence =
			"Silence after which a turn is over that nothing else has ended, when no call "
			"and no tool is open." },
	{ SETTING(sessions.session_idle_ms, SETTING_MILLISECONDS), .min = 10, .max = 24 * HOUR_MS,
		.fallback = "600000",
		.sentence = "Silence after which any turn and its session are over." },
	{ SETTING(sessions.max_open_turns, SETTING_COUNT), .min = 1, .max = 1000000,
		.fallback = "10000", .unit = "turns",
		.sentence = "Open at once; for more, the one that was silent longest is ended." },
	{ SETTING(sessions.max_held_bytes, SETTING_BYTES), .min = MIB, .max = TIB,
		.fallback = "256MiB",
		.sentence = "Of events that wait in memory; for more, the same." },
	{ SETTING(sessions.preview_chars, SETTING_COUNT), .max = 1000, .fallback = "60",
		.unit = "characters", .sentence = "Of a prompt in the names of turns and traces." },
	{ SETTING(sessions.readable_names, SETTING_BOOL), .fallback = "true",
		.sentence =
			"Renames spans that a CLI wrote itself; tollgate.native_name keeps the name." },
	{ SETTING(sessions.native_spans, SETTING_CHOICE), .choices = "auto keep drop",
		.fallback = "auto",
		.sentence =
			"Spans that Codex and Gemini CLI write of their own insides: dropped where "
			"their logs come, kept instead of ours, or always dropped." },
	{ SETTING(sessions.remember_days, SETTING_COUNT), .min = 1, .max = 3650, .fallback = "30",
		.unit = "days", .sentence = "How long what was sent is not sent again." },
	{ SETTING(sessions.remember_max_spans, SETTING_COUNT), .min = 1000, .max = 1000000000,
		.fallback = "2000000", .unit = "spans", .sentence = "Remembered at most." },
	{ SETTING(sessions.max_hook_bytes, SETTING_BYTES), .min = KIB, .max = 16 * MIB,
		.fallback = "4MiB",
		.sentence = "Of one hook's payload; larger ones are answered 413." },

	{ SETTING(local.enabled, SETTING_BOOL), .fallback = "true",
		.sentence = "Keeps what was seen lately for show, sessions and cost." },
	{ SETTING(local.max_bytes, SETTING_BYTES), .min = MIB, .max = TIB, .fallback = "512MiB",
		.sentence = "Of the local view's file; the oldest spans go." },
	{ SETTING(local.max_age_days, SETTING_COUNT), .max = 36500, .fallback = "30",
		.unit = "days", .sentence = "Older spans go; 0: no limit." },
	{ SETTING(local.content_max_bytes, SETTING_BYTES), .max = 64 * MIB, .fallback = "16KiB",
		.sentence =
			"Of one input or output in the local view; longer ones are cut, 0: none." },
	{ SETTING(local.max_lag_bytes, SETTING_BYTES), .min = MIB, .max = TIB, .fallback = "32MiB",
		.sentence = "Further behind than this the local view skips what is oldest." },

	{ SETTING(access.anonymous, SETTING_CHOICE), .choices = "nobody local everyone",
		.fallback = "local",
		.sentence =
			"Who may come without a key, into the default project: nobody, programs on this "
			"machine, or everyone who reaches the port." },
	{ SETTING(access.keys_file, SETTING_PATH), .is_reloaded = true, .min = 1,
		.max = TEXT_MAX_BYTES, .check = check_readable,
		.sentence =
			"Gateway keys of the default project, hashed as \"tollgate key\" prints them." },
	{ SETTING(access.hosts, SETTING_LIST), .max = 32,
		.count_offset = offsetof(struct config, access.host_count),
		.sentence =
			"Names that callers without a key may ask for in Host, beside localhost, addresses and "
			"names without a dot." },
	{ SETTING(access.origins, SETTING_LIST), .max = 32,
		.count_offset = offsetof(struct config, access.origin_count),
		.sentence =
			"Origins of web pages whose requests are let in, such as https://app.example.com, "
			"beside pages on this machine." },

	{ SETTING(tls.certificate_file, SETTING_PATH), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_readable,
		.sentence =
			"PEM: the listener's certificate and those that vouch for it; read again at SIGHUP." },
	{ SETTING(tls.key_file, SETTING_PATH), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_private,
		.sentence = "PEM: its private key, not readable by others." },

	{ SETTING(proxy.enabled, SETTING_BOOL), .fallback = "true",
		.sentence = "Passes /api/public/** through to Langfuse." },
	{ SETTING(proxy.destination, SETTING_TEXT), .min = 1, .max = 32,
		.sentence =
			"The destination of type langfuse to stand in front of; unset: the first one." },
	{ SETTING(proxy.max_connections, SETTING_COUNT), .min = 1, .max = 65536, .fallback = "512",
		.unit = "requests",
		.sentence = "Passed through at once; further ones are answered 503." },
	{ SETTING(proxy.buffer_bytes, SETTING_BYTES), .min = 4 * KIB, .max = 64 * MIB,
		.fallback = "128KiB", .sentence = "Of one body on its way, each direction." },
	{ SETTING(proxy.connect_timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "3000", .sentence = "For a connection to Langfuse." },
	{ SETTING(proxy.answer_timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "3500",
		.sentence =
			"For Langfuse's answer to what can be kept or answered from a copy; SDKs give up "
			"after five seconds." },
	{ SETTING(proxy.silence_timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "60000",
		.sentence = "Of Langfuse, in the middle of any other request." },
	{ SETTING(proxy.stream_silence_timeout_ms, SETTING_MILLISECONDS), .max = 24 * HOUR_MS,
		.fallback = "900000",
		.sentence = "The same for server-sent events and MCP; 0: no limit." },
	{ SETTING(proxy.max_events_bytes, SETTING_BYTES), .min = KIB, .max = GIB,
		.fallback = "16MiB",
		.sentence = "Of an ingestion batch or a score; larger ones are answered 413." },
	{ SETTING(proxy.keep_prompts, SETTING_BOOL), .fallback = "true",
		.sentence = "Answers prompts from the last good copy while Langfuse is away." },
	{ SETTING(proxy.prompts_max_bytes, SETTING_BYTES), .min = KIB, .max = GIB,
		.fallback = "32MiB",
		.sentence = "Of all copies; the ones asked for longest ago go." },
	{ SETTING(proxy.prompts_max_age_ms, SETTING_MILLISECONDS), .min = 1, .max = 10000 * HOUR_MS,
		.fallback = "604800000", .sentence = "Older copies are not shown." },
};
const size_t setting_count = COUNT_OF(settings);

static const struct setting destination_settings[] = {
	{ DESTINATION(type, SETTING_CHOICE), .choices = "langfuse otlp",
		.sentence = "What answers there; must be given." },
	{ DESTINATION(enabled, SETTING_BOOL), .fallback = "true",
		.sentence = "false: nothing is sent there." },
	{ DESTINATION(endpoint, SETTING_TEXT), .min = 1, .max = TEXT_MAX_BYTES,
		.langfuse_fallback = "https://cloud.langfuse.com", .check = check_base_url,
		.sentence =
			"Base URL; /v1/traces and alike are appended (Langfuse: its OTLP path)." },
	{ DESTINATION(traces_endpoint, SETTING_TEXT), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_url, .sentence = "Used for traces as it is, instead." },
	{ DESTINATION(logs_endpoint, SETTING_TEXT), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_url, .sentence = "Used for logs as it is, instead." },
	{ DESTINATION(metrics_endpoint, SETTING_TEXT), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_url, .sentence = "Used for metrics as it is, instead." },
	{ DESTINATION(signals, SETTING_SET), .choices = "traces logs metrics", .fallback = "traces",
		.sentence =
			"What is sent there; unset: traces, and what has an endpoint of its own. Langfuse "
			"takes traces alone." },
	{ DESTINATION(public_key, SETTING_TEXT), .is_reloaded = true, .min = 1,
		.max = KEY_MAX_BYTES, .check = check_key, .sentence = "Of the Langfuse project." },
	{ .name = "public_key_file",
		.offset = offsetof(struct destination_config, public_key),
		.type = SETTING_SECRET_FILE,
		.min = 1,
		.max = TEXT_MAX_BYTES,
		.sentence = "Holds the public key instead." },
	{ DESTINATION(secret_key, SETTING_TEXT), .is_secret = true, .is_reloaded = true, .min = 1,
		.max = KEY_MAX_BYTES, .check = check_key,
		.sentence = "Of the Langfuse project; better in a file of its own." },
	{ .name = "secret_key_file",
		.offset = offsetof(struct destination_config, secret_key),
		.type = SETTING_SECRET_FILE,
		.min = 1,
		.max = TEXT_MAX_BYTES,
		.sentence = "Holds the secret key instead; not readable by others." },
	{ DESTINATION(headers, SETTING_HEADERS), .is_secret = true, .is_reloaded = true, .max = 32,
		.count_offset = offsetof(struct destination_config, header_count),
		.sentence = "Added to each request." },
	{ DESTINATION(content, SETTING_CHOICE), .choices = "full cut none", .fallback = "full",
		.sentence = "Prompts, answers, inputs and outputs of tools: whole, cut, or none." },
	{ DESTINATION(content_max_bytes, SETTING_BYTES), .min = 64, .max = 64 * MIB,
		.fallback = "2KiB",
		.sentence = "Of one value where content is cut; longer ones end in a mark." },
	{ DESTINATION(ca_file, SETTING_PATH), .min = 1, .max = TEXT_MAX_BYTES,
		.check = check_readable,
		.sentence = "Certificates to trust; unset: those of the system." },
	{ DESTINATION(batch_size, SETTING_COUNT), .min = 1, .max = 1000000, .fallback = "512",
		.unit = "spans", .sentence = "What one request should reach." },
	{ DESTINATION(batch_timeout_ms, SETTING_MILLISECONDS), .max = HOUR_MS, .fallback = "200",
		.langfuse_fallback = "1000",
		.sentence = "How long a batch waits for more before it goes alone." },
	{ DESTINATION(max_request_bytes, SETTING_BYTES), .min = KIB, .max = GIB, .fallback = "4MB",
		.sentence = "Of one request before compression." },
	{ DESTINATION(in_flight, SETTING_COUNT), .min = 1, .max = 64, .fallback = "4",
		.unit = "requests", .sentence = "Sent at once." },
	{ DESTINATION(timeout_ms, SETTING_MILLISECONDS), .min = 10, .max = HOUR_MS,
		.fallback = "30000", .sentence = "Of one attempt." },
	{ DESTINATION(retry_initial_ms, SETTING_MILLISECONDS), .min = 1, .max = HOUR_MS,
		.fallback = "1000",
		.sentence =
			"Longest wait after the first failure; it doubles with each further one." },
	{ DESTINATION(retry_max_ms, SETTING_MILLISECONDS), .min = 1, .max = 24 * HOUR_MS,
		.fallback = "60000", .sentence = "Longest wait between two attempts." },
};

static const struct setting project_settings[] = {
	{ PROJECT(public_key, SETTING_TEXT), .is_reloaded = true, .min = 1, .max = KEY_MAX_BYTES,
		.check = check_key, .sentence = "Of the Langfuse project; no other has the same." },
	{ .name = "public_key_file",
		.offset = offsetof(struct project_config, public_key),
		.type = SETTING_SECRET_FILE,
		.min = 1,
		.max = TEXT_MAX_BYTES,
		.sentence = "Holds the public key instead." },
	{ PROJECT(secret_key, SETTING_TEXT), .is_secret = true, .is_reloaded = true, .min = 1,
		.max = KEY_MAX_BYTES, .check = check_key,
		.sentence = "Of the Langfuse project; better in a file of its own." },
	{ .name = "secret_key_file",
		.offset = offsetof(struct project_config, secret_key),
		.type = SETTING_SECRET_FILE,
		.min = 1,
		.max = TEXT_MAX_BYTES,
		.sentence = "Holds the secret key instead; not readable by others." },
	{ PROJECT(gateway_keys_file, SETTING_PATH), .is_reloaded = true, .min = 1,
		.max = TEXT_MAX_BYTES, .check = check_readable,
		.sentence =
			"Gateway keys of its callers, hashed as \"tollgate key\" prints them." },
};

const struct section sections[SECTION_COUNT] = {
	[SECTION_DESTINATIONS] = { "destinations", "destination", destination_settings,
		COUNT_OF(destination_settings) },
	[SECTION_PROJECTS] = { "projects", "project", project_settings,
		COUNT_OF(project_settings) },
};

static const struct setting *find(const struct setting *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const struct setting *setting_find(const char *name)
{
	return find(settings, setting_count, name);
}

const struct setting *section_setting_find(const struct section *section, const char *name)
{
	return find(section->settings, section->setting_count, name);
}

void setting_variable(const struct setting *setting, char out[SETTING_VARIABLE_MAX])
{
	snprintf(out, SETTING_VARIABLE_MAX, "TOLLGATE_%s", setting->name);
	for (char *c = out; *c; c++)
		*c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

const struct setting *setting_of(const struct setting *row)
{
	return row->type == SETTING_SECRET_FILE ? row - 1 : row;
}

const char *setting_form(const struct setting *setting, char out[SETTING_FORM_MAX])
{
	static const char *const forms[] = {
		[SETTING_TEXT] = "a text",
		[SETTING_PATH] = "a path",
		[SETTING_COUNT] = "a whole number",
		[SETTING_BYTES] = "a number of bytes such as 67108864 or \"64MiB\"",
		[SETTING_MILLISECONDS] = "a whole number of milliseconds",
		[SETTING_BOOL] = "true or false",
		[SETTING_LIST] = "a list of texts such as [\"team-a\", \"ci\"]",
		[SETTING_HEADERS] = "an object of texts such as {\"X-Scope-OrgID\": \"team-a\"}",
		[SETTING_SECRET_FILE] = "the path of a file",
	};
	if (!setting->choices)
		return forms[setting->type];
	size_t at = (size_t)snprintf(out, SETTING_FORM_MAX,
		setting->type == SETTING_SET ? "a list of some of " : "one of ");
	for (const char *c = setting->choices; *c; c++) {
		if (*c == ' ')
			out[at++] = ',';
		out[at++] = *c;
	}
	out[at] = '\0';
	assert(at < SETTING_FORM_MAX);
	return out;
}

const char *setting_unit(const struct setting *setting)
{
	if (setting->unit)
		return setting->unit;
	if (setting->type == SETTING_BYTES)
		return "bytes";
	return setting->type == SETTING_MILLISECONDS ? "ms" : "";
}
