/* What tools are told to send, by their settings, and what came of it, by the daemon. */
#include "doctor/doctor.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sources.h"

enum {
	NS_PER_S = 1000000000,
	PATIENCE_S = 10 * 60, /* with silence after use, or with half of what should come */
	NAMES_MAX = 128,
	MEND_MAX = 128,
};
static const json_int_t patience_ns = (json_int_t)PATIENCE_S * NS_PER_S;

/* One tool that is looked at. */
struct look {
	const struct patient *patient;
	const struct tool *tool;
	bool is_on; /* by its settings here */
	struct findings *findings;
};

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static const json_t *sources_of(const struct patient *patient)
{
	return json_object_get(patient->came, "sources");
}

static bool is_found(const struct look *look, enum finding_kind kind)
{
	const struct findings *findings = look->findings;
	for (size_t i = 0; i < findings->count; i++)
		if (findings->at[i].kind == kind &&
			strcmp(findings->at[i].about, look->tool->name) == 0)
			return true;
	return false;
}

static json_int_t modified_ns(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return 0;
	return (json_int_t)status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec;
}

/* When its settings were written last; 0: unknown. */
static json_int_t settings_ns(const struct look *look)
{
	char path[TOOL_PATH_MAX];
	const struct tool *tool = look->tool;
	return tool_path(tool, look->patient->home, &tool->files[0], path) < 0 ? 0 :
										 modified_ns(path);
}

/* When a session of it began last; 0: unknown. */
static json_int_t used_ns(const struct look *look)
{
	char pattern[TOOL_PATH_MAX];
	glob_t found;
	json_int_t last_ns = 0;
	const struct tool_file sessions = { .path = look->tool->sessions };
	if (!sessions.path || tool_path(look->tool, look->patient->home, &sessions, pattern) < 0 ||
		glob(pattern, GLOB_NOSORT | GLOB_ONLYDIR, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		json_int_t began_ns = modified_ns(found.gl_pathv[i]);
		last_ns = began_ns > last_ns ? began_ns : last_ns;
	}
	globfree(&found);
	return last_ns;
}

/* ---- what came of it ---- */

/* What it would say more of, unless its settings were mended since. */
static void inspect_lacks(const struct look *look, const json_t *source)
{
	static const struct {
		enum finding_kind kind;
		const char *what;
	} rows[LACK_COUNT] = {
		[LACK_PROMPTS] = { FINDING_PROMPTS_REDACTED, "without their text" },
		[LACK_TOOL_DETAILS] = { FINDING_TOOL_DETAILS_OFF, "without what tools were given" },
		[LACK_SESSION] = { FINDING_SESSION_ID_OFF, "without a session id" },
	};
	const json_int_t mended_ns = look->is_on ? settings_ns(look) : 0;
	for (enum lack lack = 0; lack < LACK_COUNT; lack++) {
		const json_t *row =
			json_object_get(json_object_get(source, "lacks"), lack_name(lack));
		json_int_t last_ns = number_of(row, "last_ns");
		if (last_ns > number_of(row, "there_last_ns") && last_ns > mended_ns &&
			!is_found(look, rows[lack].kind))
			findings_add(look->findings, rows[lack].kind, look->tool->name, NULL,
				"%s sent %lld events %s.", text_of(source, "name"),
				(long long)number_of(row, "items"), rows[lack].what);
	}
}

/* For long, and the other one never. */
static bool says_only(const json_t *source, const char *signal, const char *other)
{
	const json_t *signals = json_object_get(source, "signals");
	const json_t *said = json_object_get(signals, signal);
	return number_of(said, "last_ns") - number_of(said, "first_ns") > patience_ns &&
		number_of(json_object_get(signals, other), "items") == 0;
}

/* Its settings are elsewhere: on another machine, in a container, in a shell. */
static void inspect_signals(const struct look *look, const json_t *source)
{
	const char *name = text_of(source, "name");
	if (says_only(source, "logs", "traces") && !is_found(look, FINDING_TRACES_OFF))
		findings_add(look->findings, FINDING_TRACES_OFF, look->tool->name, NULL,
			"%s sends log events, and never a span.", name);
	if (says_only(source, "traces", "logs") && !is_found(look, FINDING_LOGS_OFF))
		findings_add(look->findings, FINDING_LOGS_OFF, look->tool->name, NULL,
			"%s sends spans, and never a log event.", name);
}

/* Returns when it last said something. */
static json_int_t inspect_sources(const struct look *look)
{
	json_int_t last_ns = 0;
	size_t i;
	const json_t *source;
	json_array_foreach(sources_of(look->patient), i, source) {
		if (strcmp(text_of(source, "cli"), look->tool->name) != 0)
			continue;
		json_int_t said_ns = number_of(source, "last_ns");
		last_ns = said_ns > last_ns ? said_ns : last_ns;
		inspect_lacks(look, source);
		if (look->tool == &tool_claude_code && !look->is_on)
			inspect_signals(look, source);
	}
	return last_ns;
}

static bool is_silence_explained(const struct look *look)
{
	static const enum finding_kind kinds[] = { FINDING_SETTINGS_UNREADABLE,
		FINDING_ENDPOINT_ELSEWHERE, FINDING_SIGNAL_PATH_MISSING, FINDING_ENVIRONMENT_WINS,
		FINDING_PROTOCOL_GRPC };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is_found(look, kinds[i]))
			return true;
	return false;
}

static void inspect_silence(const struct look *look, json_int_t last_ns)
{
	if (!look->is_on || !look->patient->came || is_silence_explained(look))
		return;
	if (!last_ns)
		findings_add(look->findings, FINDING_SILENT, look->tool->name, NULL,
			"It is set up, and nothing ever came from it.");
	else if (used_ns(look) - last_ns > patience_ns)
		findings_add(look->findings, FINDING_SILENT, look->tool->name, NULL,
			"A session of it began since the last thing that came from it.");
}

/* ---- all of them ---- */

/* SDKs that cannot speak OTLP, by what they say they are. */
static void inspect_sdks(const struct patient *patient, struct findings *findings)
{
	const char *name;
	json_t *batches;
	json_object_foreach(json_object_get(patient->status, "ingestion_sdks"), name, batches)
		findings_add(findings, FINDING_SDK_ON_INGESTION, *name ? name : "langfuse-sdk",
			NULL, "It sent %lld batches of traces over the ingestion API.",
			(long long)json_integer_value(batches));
}

static bool has_any_come(const struct patient *patient)
{
	size_t i;
	const json_t *source;
	json_array_foreach(sources_of(patient), i, source)
		if (*text_of(source, "cli"))
			return true;
	return false;
}

/* What is in a working directory is no coding CLI. */
static bool is_cli(const struct tool *tool)
{
	return *tool->directory;
}

static void inspect_off(const struct patient *patient, struct findings *findings)
{
	char names[NAMES_MAX] = "", mend[MEND_MAX] = "";
	size_t len = 0;
	for (const struct tool *const *tool = tools; *tool && len < sizeof names; tool++) {
		if (!is_cli(*tool) || !tool_is_used(*tool, patient->home))
			continue;
		len += (size_t)snprintf(
			names + len, sizeof names - len, "%s%s", len ? ", " : "", (*tool)->name);
		if (!*mend)
			snprintf(mend, sizeof mend,
				"tollgate setup %s --apply, then begin a new session",
				(*tool)->name);
	}
	if (len)
		findings_add(findings, FINDING_TELEMETRY_OFF, names, mend,
			"Its telemetry is not switched on, and nothing came from any coding CLI.");
}

void check_tools(const struct patient *patient, struct findings *findings)
{
	bool is_any_on = false;
	for (const struct tool *const *tool = tools; *tool; tool++) {
		struct look look = { .patient = patient, .tool = *tool, .findings = findings };
		(*tool)->inspect(patient->home, patient->url, findings, &look.is_on);
		is_any_on |= look.is_on && is_cli(*tool);
		json_int_t last_ns = inspect_sources(&look);
		if (is_cli(*tool))
			inspect_silence(&look, last_ns);
	}
	inspect_sdks(patient, findings);
	if (!is_any_on && !has_any_come(patient))
		inspect_off(patient, findings);
}
