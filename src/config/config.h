/*
 * All that a person can set, as the program uses it: read once at start, then constant.
 *
 * Each member is filled by one row of settings.c, where its name, unit, bounds, default and sentence
 * are; help, example and error messages are printed from that row.
 */
#ifndef TG_CONFIG_CONFIG_H
#define TG_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"

enum destination_type { DESTINATION_LANGFUSE, DESTINATION_OTLP };

/* What a destination gets of what people, models and tools said. */
enum content { CONTENT_FULL, CONTENT_CUT, CONTENT_NONE };

/* Who may come without any key: nobody, whoever is on this machine, or everyone. */
enum anonymous_setting { ANONYMOUS_NOBODY, ANONYMOUS_LOCAL, ANONYMOUS_EVERYONE };

/* Where traces of a coding session begin and end. */
enum trace_scope_setting { SCOPE_TURN, SCOPE_SESSION };

/* What says that a turn is over: hooks once a session has sent some, hooks alone, or what was called. */
enum turn_end_setting { TURN_END_AUTO, TURN_END_HOOKS, TURN_END_HEURISTIC };

/* The spans that Codex and Gemini CLI write themselves: dropped where their logs come too, kept, or dropped. */
enum native_spans_setting { NATIVE_SPANS_AUTO, NATIVE_SPANS_KEEP, NATIVE_SPANS_DROP };

struct header_setting {
	char *name;
	char *value;
};

/* Where a value came from, for the person who wonders. */
struct origin {
	enum { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG } kind;
	const char *name; /* of the file or the variable */
	int line;         /* of the file; 0 when it is not known */
};

/* One place that data goes to. */
struct destination_config {
	char *name; /* [a-z0-9_-]{1,32}, unique */
	enum destination_type type;
	bool enabled;
	char *endpoint;        /* base URL; /v1/<signal> (Langfuse: the OTLP path) is appended */
	char *traces_endpoint; /* used as it is, instead; NULL when unset (also the next two) */
	char *logs_endpoint;
	char *metrics_endpoint;
	char *public_key; /* Langfuse; content of public_key_file when that is set */
	char *secret_key;
	struct header_setting *headers;
	size_t header_count;
	unsigned signals; /* sent there: bits as of signal_bit (otlp/signal.h) */
	enum content content;
	uint64_t content_max_bytes; /* of one value; with CONTENT_CUT */
	char *ca_file;              /* NULL: the system's */
	uint64_t batch_size;        /* spans that one request should reach */
	uint64_t batch_timeout_ms;  /* how long a record waits for more before it goes alone */
	uint64_t max_request_bytes; /* of one request, before compression */
	uint64_t in_flight;         /* requests at once */
	uint64_t timeout_ms;        /* of one attempt */
	uint64_t retry_initial_ms;
	uint64_t retry_max_ms;
	struct origin *origins; /* by row of sections[SECTION_DESTINATIONS] */
};

/*
 * One project of Langfuse beside the destination's own: a lane, whose callers are told by their keys and
 * whose traces go to the destination with the project's pair.
 */
struct project_config {
	char *name;       /* [a-z0-9_-]{1,32}, unique, not "default": its lane */
	char *public_key; /* content of public_key_file when that is set */
	char *secret_key;
	char *gateway_keys_file; /* as access.keys_file, for callers of this project; NULL: none */
	struct origin *origins;  /* by row of sections[SECTION_PROJECTS] */
};

enum { PROJECTS_MAX = 64 };
#define DEFAULT_LANE "default" /* of the project whose pair the destination has itself */

struct config {
	char *listen; /* host:port, port 0 = any free one */
	char *state_directory;
	char *control_socket;         /* path; never NULL after loading */
	char *control_group;          /* may use the control socket; NULL: the owner alone */
	char *log_level;              /* error, warning, info, debug */
	uint64_t shutdown_timeout_ms; /* what exporters get after SIGTERM */

	struct {
		uint64_t threads;
		uint64_t max_connections;
		uint64_t request_timeout_ms; /* from the first byte of a request to its last */
		uint64_t idle_timeout_ms;
	} http;

	struct {
		uint64_t max_body_bytes;
		uint64_t max_decompressed_bytes;
		uint64_t max_depth; /* message levels */
		uint64_t max_spans; /* or log records, or metrics, in one request */
		uint64_t max_request_memory_bytes;
		uint64_t max_memory_bytes; /* all requests together */
	} limits;

	struct {
		uint64_t max_bytes;
		uint64_t min_free_bytes; /* doors answer 503 below this much free disk */
		uint64_t segment_bytes;
		uint64_t max_record_bytes; /* raw; larger requests are cut at span boundaries */
		uint64_t max_dead_bytes; /* of dead letters; when full, nothing more is given up */
		uint64_t cache_bytes;    /* newest records kept in memory for the exporters */
		uint64_t silence_timeout_ms; /* of one destination while others answer */
		char *compression;           /* gzip or none: as stored and as sent */
	} spool;

	/* What spans get that say nothing of their own (NULL when unset), and where else to look. */
	struct {
		char *user_id;
		char **tags;
		size_t tag_count;
		char *environment;
		char *release;
		char **user_from; /* names of attributes, as the next two */
		size_t user_from_count;
		char **release_from;
		size_t release_from_count;
		char **tags_from_resource;
		size_t tags_from_resource_count;
	} identity;

	struct {
		bool flatten_messages; /* llm.input_messages.N.* from message JSON */
		uint64_t flatten_max_messages, flatten_max_bytes; /* of each list, the newest */
	} content;

	struct {
		char *file;      /* NULL: the table that was built in */
		char *overrides; /* own prices over it; NULL: none */
	} pricing;

	/* Sessions of coding CLIs, made of their logs, hooks and spans. */
	struct {
		bool enabled;
		enum trace_scope_setting trace_scope;
		enum turn_end_setting turn_end;
		uint64_t join_wait_ms; /* of an event for its partners */
		uint64_t
			turn_idle_ms; /* after which a turn whose last call asked for nothing is over */
		uint64_t session_idle_ms; /* after which any is */
		uint64_t max_open_turns;
		uint64_t max_held_bytes; /* of events, all sessions together */
		uint64_t preview_chars;  /* of a prompt in a span's name */
		bool readable_names;     /* of spans that a CLI wrote itself */
		enum native_spans_setting native_spans;
		uint64_t remember_days;
		uint64_t remember_max_spans;
		uint64_t max_hook_bytes;
	} sessions;

	/* The local view, a destination of its own beside the others. */
	struct {
		bool enabled;
		uint64_t max_bytes;         /* of its file; the oldest spans go */
		uint64_t max_age_days;      /* 0: no limit */
		uint64_t content_max_bytes; /* of one input or output; longer ones are cut */
		uint64_t max_lag_bytes;     /* further behind than this, it skips */
	} local;

	/* Who may come, and what a browser may be led here by. */
	struct {
		enum anonymous_setting anonymous;
		char *keys_file; /* gateway keys of the default project, hashed; NULL: none */
		char **hosts;    /* names of this machine that are no loopback and no address */
		size_t host_count;
		char **origins; /* of pages whose requests are let in */
		size_t origin_count;
	} access;

	struct {
		char *certificate_file; /* both or neither; NULL: no TLS */
		char *key_file;
	} tls;

	/* In front of Langfuse. */
	struct {
		bool enabled;
		char *destination; /* of type langfuse; NULL: the first one */
		uint64_t max_connections;
		uint64_t buffer_bytes; /* of a stream on its way, each direction */
		uint64_t connect_timeout_ms;
		uint64_t answer_timeout_ms;  /* of what can be kept or answered from a copy */
		uint64_t silence_timeout_ms; /* of Langfuse, in all else */
		uint64_t stream_silence_timeout_ms;
		uint64_t max_events_bytes; /* of an ingestion batch or a score */
		bool keep_prompts;
		uint64_t prompts_max_bytes;
		uint64_t prompts_max_age_ms;
	} proxy;

	struct project_config *projects;
	size_t project_count;
	struct destination_config *destinations;
	size_t destination_count;
	struct origin *origins; /* by row of settings */
};

enum { CONFIG_PATH_MAX = 4096 };

/*
 * The file to read when nobody names one: $TOLLGATE_CONFIG, else the first that is there of
 * tollgate/tollgate.json in $XDG_CONFIG_HOME or ~/.config, and /etc/tollgate/tollgate.json. May lie in
 * `path` or in the environment; NULL for none.
 */
const char *config_find_file(char *const *environment, char path[CONFIG_PATH_MAX]);

/*
 * Reads defaults, then the JSON file, then the environment, then the flags; later ones win.
 *
 *   file          path of the JSON file, or NULL for none
 *   environment   NULL-terminated NAME=value strings, as in environ
 *   flags         NULL-terminated "name=value" with setting names, or NULL
 *   ret_notes     NULL-terminated sentences about what is set but does not apply here, to be logged once;
 *                 freed with config_notes_free
 *
 * 0, or -EINVAL with the first mistake in `complaint` (which key of which file, what to write instead).
 */
int config_load(const char *file, char *const *environment, char *const *flags,
	struct config **ret_config, char ***ret_notes, struct complaint *complaint);
void config_free(struct config *config);

/* NULL when there is none of that name. */
const struct destination_config *config_destination(const struct config *config, const char *name);

/*
 * The Langfuse that the proxy stands in front of, and that the projects' traces go to; NULL when there is none.
 */
const struct destination_config *config_langfuse(const struct config *config);

void config_notes_free(char **notes);

/* One line per setting: name, environment variable, default, unit, sentence. For --help. */
void config_print_settings(void);

/* A file with every setting at its default, and destinations that are switched off. */
void config_print_example(void);

#endif
