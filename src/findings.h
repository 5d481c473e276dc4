/*
 * What can be wrong between a tool and the places where people look, in the order of the road: the table that
 * `tollgate doctor`, its manual and the README's troubleshooting are printed from.
 */
#ifndef TG_FINDINGS_H
#define TG_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Where on the road. */
enum hop {
	HOP_TOOL,
	HOP_DOOR,
	HOP_DAEMON,
	HOP_DISK,
	HOP_PRICES,
	HOP_DESTINATION, /* which one: the finding's `about` */
	HOP_COUNT
};
const char *hop_name(enum hop hop); /* "tool", "door", ... */

enum finding_kind {
	/* Tools: what their own settings say, and what came of them. */
	FINDING_TELEMETRY_OFF,       /* no CLI has its telemetry switched on */
	FINDING_SETTINGS_UNREADABLE, /* a tool's settings file is no valid JSON or TOML */
	FINDING_ENDPOINT_ELSEWHERE,  /* to another port or host */
	FINDING_SIGNAL_PATH_MISSING, /* Codex' endpoint lacks /v1/<signal> */
	FINDING_ENVIRONMENT_WINS,    /* OTEL_EXPORTER_OTLP_* overrides Gemini's settings */
	FINDING_PROTOCOL_GRPC,
	FINDING_PROMPTS_REDACTED,
	FINDING_TOOL_DETAILS_OFF,
	FINDING_TRACES_OFF, /* Claude Code's beta traces are off, its logs are on */
	FINDING_LOGS_OFF,   /* the other way round */
	FINDING_HOOKS_MISSING,
	FINDING_HOOK_NOT_FOUND, /* the command of the hook */
	FINDING_SESSION_ID_OFF,
	FINDING_SILENT,           /* set up, and yet nothing came from it */
	FINDING_SDK_ON_INGESTION, /* an old SDK sends traces over the ingestion API */
	/* Doors. */
	FINDING_DAEMON_DOWN,
	FINDING_CONTROL_DENIED,        /* it runs, and this person may not ask it */
	FINDING_PORT_TAKEN,            /* by whom */
	FINDING_OWN_CERTIFICATE_ENDED, /* of the listener */
	FINDING_OWN_CERTIFICATE_ENDS,  /* soon */
	/* The daemon and its disk. */
	FINDING_CONFIGURATION,    /* unreadable or wrong */
	FINDING_KEY_FILE_MISSING, /* or not to be read */
	FINDING_KEY_FILE_EMPTY,
	FINDING_KEY_FILE_OPEN, /* others may read it */
	FINDING_KEY_FILE_NEWLINE,
	FINDING_KEYS_SWAPPED, /* public for secret */
	FINDING_STATE_NOT_WRITABLE,
	FINDING_DISK_FLOOR, /* doors answer 503 */
	FINDING_DISK_FAILS,
	FINDING_CLOCK_SKEW,
	FINDING_PRICES_OLD,
	FINDING_UNKNOWN_MODELS,
	/* Destinations. */
	FINDING_NO_DESTINATION,
	FINDING_OURSELVES, /* a destination that is our own door */
	FINDING_WRONG_REGION,
	FINDING_BASE_URL_PATH,
	FINDING_UNAUTHORIZED, /* 401 */
	FINDING_PLAN_USED_UP, /* 403 of Langfuse */
	FINDING_FORBIDDEN,    /* 403 else */
	FINDING_RATE_LIMITED, /* 429 */
	FINDING_UNREACHABLE,  /* Langfuse, Tempo: name, connection, time */
	FINDING_CERTIFICATE,  /* of a destination: expired, unknown authority */
	FINDING_REFUSES, /* an empty export or the last requests are refused, any other status */
	FINDING_HELD,    /* an exporter holds, and none of the above says why */
	FINDING_DEAD_LETTERS,
	FINDING_LAG, /* grows, and none of the above says why */
	FINDING_KIND_COUNT,
};

enum severity {
	SEVERITY_NOTE,    /* good to know: does not change the exit status */
	SEVERITY_WARNING, /* something is missing or will break */
	SEVERITY_BROKEN,  /* data does not pass here */
};
const char *severity_name(enum severity severity); /* "note", ... */

struct finding_row {
	const char *name; /* "endpoint-elsewhere": stable, for programs */
	enum hop hop;
	enum severity severity;
	const char *what;  /* is wrong, in general: a sentence */
	const char *shows; /* how it shows: a sentence */
	const char *mend;  /* the command or change, in general */
};
extern const struct finding_row finding_rows[FINDING_KIND_COUNT];

struct finding {
	enum finding_kind kind;
	char *about; /* which: "claude-code", "langfuse", a path */
	char *what;  /* here: "its logs go to http://127.0.0.1:4317, Tollgate listens on ..." */
	char *mend;  /* here: the exact command or change */
};

struct findings {
	struct finding *at; /* as they were added */
	size_t count;
	bool is_incomplete; /* there was no memory for one */
};

/*
 * Texts are copied. Never a key, never a prompt.
 *
 *   mend    NULL: that of the row
 *   format  NULL: the row's sentence
 */
void findings_add(struct findings *findings, enum finding_kind kind, const char *about,
	const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool findings_have(const struct findings *findings, enum finding_kind kind);
/* In the order of the road; of a kind as they were added. */
void findings_sort(struct findings *findings);
/* The first of those that are sorted where data does not pass; NULL when it does. */
const struct finding *findings_first_broken(const struct findings *findings);
/* SEVERITY_NOTE for none. */
enum severity findings_worst(const struct findings *findings);
void findings_done(struct findings *findings);

#endif
