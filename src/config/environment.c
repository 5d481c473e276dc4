/*
 * The environment: TOLLGATE_* for each setting, and the variables that Langfuse's SDKs read, so that
 * an application's environment file fits here too. Empty is as unset. The own name of a setting wins.
 */
#include "config/loader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "config/environment.h"
#include "config/values.h"

enum { SECONDS_TEXT_MAX = 32 };

/* Later rows win over earlier ones that set the same. */
/* clang-format off */
const struct variable variables[] = {
	{ "LANGFUSE_PUBLIC_KEY", "destinations.langfuse.public_key" },
	{ "LANGFUSE_PUBLIC_KEY_FILE", "destinations.langfuse.public_key_file" },
	{ "LANGFUSE_SECRET_KEY", "destinations.langfuse.secret_key" },
	{ "LANGFUSE_SECRET_KEY_FILE", "destinations.langfuse.secret_key_file" },
	{ "LANGFUSE_BASEURL", "destinations.langfuse.endpoint" },
	{ "LANGFUSE_HOST", "destinations.langfuse.endpoint" },
	{ "LANGFUSE_BASE_URL", "destinations.langfuse.endpoint" },
	{ "LANGFUSE_ENABLED", "destinations.langfuse.enabled" },
	{ "LANGFUSE_TRACING_ENABLED", "destinations.langfuse.enabled", .form = VARIABLE_SWITCH, .off = "false" },
	{ "LANGFUSE_FLUSH_AT", "destinations.langfuse.batch_size" },
	{ "LANGFUSE_FLUSH_INTERVAL", "destinations.langfuse.batch_timeout_ms", .form = VARIABLE_SECONDS },
	{ "LANGFUSE_TIMEOUT", "destinations.langfuse.timeout_ms", .form = VARIABLE_SECONDS },
	{ "LANGFUSE_USER_ID", "identity.user_id" },
	{ "LANGFUSE_TAGS", "identity.tags" },
	{ "LANGFUSE_TRACING_ENVIRONMENT", "identity.environment" },
	{ "LANGFUSE_RELEASE", "identity.release" },
	{ "LANGFUSE_DEBUG", "log_level", .form = VARIABLE_SWITCH, .on = "debug" },
	{ "TOLLGATE_TEMPO_ENDPOINT", "destinations.tempo.endpoint" },
	{ "TOLLGATE_TEMPO_HEADERS", "destinations.tempo.headers" },
	{ "TOLLGATE_TEMPO_CONTENT", "destinations.tempo.content" },
	{ "TOLLGATE_TEMPO_CONTENT_MAX_BYTES", "destinations.tempo.content_max_bytes" },
	{ "TOLLGATE_LANGFUSE_CONTENT", "destinations.langfuse.content" },
	{ "TOLLGATE_LANGFUSE_CONTENT_MAX_BYTES", "destinations.langfuse.content_max_bytes" },

	{ "LANGFUSE_LOG_LEVEL", .why = "set TOLLGATE_LOG_LEVEL" },
	{ "LANGFUSE_SAMPLE_RATE", .why = "every span is kept; sample where spans are made" },
	{ "LANGFUSE_MEDIA_UPLOAD_ENABLED", .why = "media stays in its span" },
	{ "LANGFUSE_MEDIA_UPLOAD_THREAD_COUNT", .why = "media stays in its span" },
	{ "LANGFUSE_MAX_EVENT_SIZE_BYTES", .why = "a span is passed on whole" },
	{ "LANGFUSE_MAX_BATCH_SIZE_BYTES", .why = "set destinations.langfuse.max_request_bytes" },
	{ "LANGFUSE_OTEL_MAX_BATCH_SIZE_BYTES", .why = "set destinations.langfuse.max_request_bytes" },
	{ "LANGFUSE_OTEL_COMPRESSION", .why = "set TOLLGATE_SPOOL_COMPRESSION" },
	{ "LANGFUSE_OTEL_TRACES_EXPORT_PATH", .why = "set destinations.langfuse.traces_endpoint" },
	{ "LANGFUSE_THREADS", .why = "set destinations.langfuse.in_flight" },
	{ "LANGFUSE_MAX_RETRIES", .why = "a batch is kept and tried until the destination has it" },
	{ "LANGFUSE_OBSERVE_DECORATOR_IO_CAPTURE_ENABLED", .why = "it is for the application's SDK" },
	{ "LANGFUSE_PROMPT_CACHE_DEFAULT_TTL_SECONDS", .why = "it is for the application's SDK" },

	{ "TOLLGATE_URL", .form = VARIABLE_OF_A_COMMAND }, /* tollgate send */
	{ "TOLLGATE_CONFIG", .form = VARIABLE_OF_A_COMMAND }, /* names the file */
};
const size_t variable_count = sizeof variables / sizeof *variables;
/* clang-format on */

const char *environment_value(char *const *environment, const char *name)
{
	size_t len = strlen(name);
	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return (*environment)[len + 1] ? *environment + len + 1 : NULL;
	return NULL;
}

/* "0.5" as "500"; what is below a millisecond is cut off. 0 or -EINVAL. */
static int seconds_to_ms(const char *text, char out[SECONDS_TEXT_MAX])
{
	size_t whole = strspn(text, "0123456789");
	const char *fraction = text[whole] == '.' ? text + whole + 1 : "";
	size_t digits = strspn(fraction, "0123456789");
	if (whole + digits == 0 || whole > 12 || fraction[digits] ||
		(text[whole] && text[whole] != '.'))
		return -EINVAL;
	snprintf(out, SECONDS_TEXT_MAX, "%.*s%.*s%.*s", (int)whole, text,
		(int)(digits < 3 ? digits : 3), fraction, (int)(digits < 3 ? 3 - digits : 0),
		"000");
	return 0;
}

/* Both of a pair that mean the same would leave open which one counts. */
static int refuse_both(struct loader *loader, char *const *environment, const char *name)
{
	char file[64];
	snprintf(file, sizeof file, "%s_FILE", name);
	if (!environment_value(environment, name) || !environment_value(environment, file))
		return 0;
	return complain(loader->complaint, "%s and %s are both set: keep one", name, file);
}

static int add_destination(
	struct loader *loader, const char *name, enum destination_type type, const char *variable)
{
	struct destination_config *added = loader_add_destination(loader, name, type, variable);
	if (!added)
		return -EINVAL;
	char type_name[64];
	struct loader_place place;
	snprintf(type_name, sizeof type_name, "destinations.%s.type", name);
	if (loader_find(loader, type_name, &place))
		loader_note_origin(loader, place.origin, variable, 0);
	return 0;
}

/* Langfuse when its keys are there, Tempo when its endpoint is. */
static int add_destinations(struct loader *loader, char *const *environment)
{
	bool has_public = environment_value(environment, "LANGFUSE_PUBLIC_KEY") ||
		environment_value(environment, "LANGFUSE_PUBLIC_KEY_FILE");
	bool has_secret = environment_value(environment, "LANGFUSE_SECRET_KEY") ||
		environment_value(environment, "LANGFUSE_SECRET_KEY_FILE");
	if (refuse_both(loader, environment, "LANGFUSE_PUBLIC_KEY") < 0 ||
		refuse_both(loader, environment, "LANGFUSE_SECRET_KEY") < 0)
		return -EINVAL;
	if (!config_destination(loader->config, "langfuse") && (has_public || has_secret)) {
		if (!has_public || !has_secret)
			return complain(loader->complaint,
				"LANGFUSE_%s_KEY is set, but LANGFUSE_%s_KEY is not: "
				"set both or none",
				has_public ? "PUBLIC" : "SECRET", has_public ? "SECRET" : "PUBLIC");
		if (add_destination(
			    loader, "langfuse", DESTINATION_LANGFUSE, "LANGFUSE_PUBLIC_KEY") < 0)
			return -EINVAL;
	}
	if (!config_destination(loader->config, "tempo") &&
		environment_value(environment, "TOLLGATE_TEMPO_ENDPOINT"))
		return add_destination(
			loader, "tempo", DESTINATION_OTLP, "TOLLGATE_TEMPO_ENDPOINT");
	return 0;
}

/* 0 when the variable's destination is there, 1 after a note that it is not, -EINVAL when it is another. */
static int find_destination(struct loader *loader, const struct variable *variable)
{
	bool is_langfuse = strncmp(variable->setting, "destinations.langfuse.", 22) == 0;
	if (strncmp(variable->setting, "destinations.", 13) != 0)
		return 0;
	const char *name = is_langfuse ? "langfuse" : "tempo";
	const struct destination_config *destination = config_destination(loader->config, name);
	if (!destination) {
		loader_note(loader,
			"%s is set but does not apply here: there is no destination %s; set %s",
			variable->name, name,
			is_langfuse ? "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY" :
				      "TOLLGATE_TEMPO_ENDPOINT");
		return 1;
	}
	if (destination->type == (is_langfuse ? DESTINATION_LANGFUSE : DESTINATION_OTLP))
		return 0;
	return complain(loader->complaint,
		"%s is for a destination of type %s, but destinations.%s is none: rename it",
		variable->name, is_langfuse ? "langfuse" : "otlp", name);
}

static int apply(struct loader *loader, const struct variable *variable, const char *text)
{
	char converted[SECONDS_TEXT_MAX], shown[LOG_TEXT_MAX];
	if (variable->why)
		loader_note(loader, "%s is set but does not apply here: %s", variable->name,
			variable->why);
	if (!variable->setting)
		return 0;
	int missing = find_destination(loader, variable);
	if (missing)
		return missing < 0 ? missing : 0;
	if (variable->form == VARIABLE_SECONDS) {
		if (seconds_to_ms(text, converted) < 0)
			return complain(loader->complaint,
				"%s must be a number of seconds such as 5 or 0.5, not %s",
				variable->name, log_text(shown, text));
		text = converted;
	} else if (variable->form == VARIABLE_SWITCH) {
		bool is_on;
		if (value_parse_bool(text, &is_on) < 0)
			return complain(loader->complaint, "%s must be true or false, not %s",
				variable->name, log_text(shown, text));
		text = is_on ? variable->on : variable->off;
	}
	return text ? loader_set(loader, variable->setting, text, variable->name) : 0;
}

/* Offers every known name; true when `nearest->wanted` is one of them. */
static bool is_known(struct nearest *nearest)
{
	for (size_t i = 0; i < variable_count; i++)
		nearest_offer(nearest, variables[i].name);
	for (size_t i = 0; i < setting_count; i++) {
		char name[SETTING_VARIABLE_MAX];
		setting_variable(&settings[i], name);
		nearest_offer(nearest, name);
	}
	return strcmp(nearest->word, nearest->wanted) == 0;
}

/* A mistyped own name is a mistake; Langfuse's may be meant for somebody else. */
static int review_names(struct loader *loader, char *const *environment)
{
	for (; environment && *environment; environment++) {
		char name[128], shown[LOG_TEXT_MAX];
		bool is_own = strncmp(*environment, "TOLLGATE_", 9) == 0;
		size_t len = strcspn(*environment, "=");
		if ((!is_own && strncmp(*environment, "LANGFUSE_", 9) != 0) ||
			!(*environment)[len] || !(*environment)[len + 1])
			continue;
		snprintf(name, sizeof name, "%.*s",
			(int)(len < sizeof name ? len : sizeof name - 1), *environment);
		struct nearest nearest = { .wanted = name };
		if (is_known(&nearest))
			continue;
		if (is_own)
			return complain(loader->complaint,
				"%s is no variable of tollgate; the nearest is %s",
				log_text(shown, name), nearest.word);
		loader_note(loader,
			"%s is set but does not apply here: it is not known; the nearest is %s",
			log_text(shown, name), nearest.word);
	}
	return 0;
}

int loader_read_environment(struct loader *loader, char *const *environment)
{
	loader->origin = ORIGIN_ENVIRONMENT;
	if (add_destinations(loader, environment) < 0)
		return -EINVAL;
	for (size_t i = 0; i < variable_count; i++) {
		const char *text = environment_value(environment, variables[i].name);
		if (text && apply(loader, &variables[i], text) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < setting_count; i++) {
		char name[SETTING_VARIABLE_MAX];
		setting_variable(&settings[i], name);
		const char *text = environment_value(environment, name);
		if (text && loader_set(loader, settings[i].name, text, name) < 0)
			return -EINVAL;
	}
	return review_names(loader, environment);
}
