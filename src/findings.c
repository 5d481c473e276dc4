#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2048 };

static const char *const hop_names[HOP_COUNT] = {
	[HOP_TOOL] = "tool",
	[HOP_DOOR] = "door",
	[HOP_DAEMON] = "daemon",
	[HOP_DISK] = "disk",
	[HOP_PRICES] = "prices",
	[HOP_DESTINATION] = "destination",
};

const char *hop_name(enum hop hop)
{
	return hop_names[hop];
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NOTE] = "note",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_BROKEN] = "broken",
	};
	return names[severity];
}

/* clang-format off */
const struct finding_row finding_rows[FINDING_KIND_COUNT] = {
	[FINDING_TELEMETRY_OFF] = { "telemetry-off", HOP_TOOL, SEVERITY_BROKEN,
		"No coding CLI has its telemetry switched on.",
		"Nothing ever arrives, and no tool complains: telemetry is off until it is asked for.",
		"tollgate setup claude-code --apply (or codex, gemini), then begin a new session" },
	[FINDING_SETTINGS_UNREADABLE] = { "settings-unreadable", HOP_TOOL, SEVERITY_BROKEN,
		"A tool's settings file cannot be read, or is no valid JSON or TOML.",
		"The tool ignores the file, or does not start; what it says of telemetry does not hold.",
		"Mend the file at the line that is named; tollgate setup changes no file that it cannot read." },
	[FINDING_ENDPOINT_ELSEWHERE] = { "endpoint-elsewhere", HOP_TOOL, SEVERITY_BROKEN,
		"A tool sends its telemetry to another host or port.",
		"The tool works as always, and nothing of it arrives here.",
		"tollgate setup TOOL --apply; what the environment says instead has to go there" },
	[FINDING_SIGNAL_PATH_MISSING] = { "signal-path-missing", HOP_TOOL, SEVERITY_BROKEN,
		"An endpoint lacks the path of its signal, /v1/logs for instance.",
		"Codex posts to the endpoint as it is written, and what it posts is answered 404.",
		"tollgate setup codex --apply" },
	[FINDING_ENVIRONMENT_WINS] = { "environment-wins", HOP_TOOL, SEVERITY_BROKEN,
		"A variable OTEL_EXPORTER_OTLP_* of the environment overrides Gemini CLI's own settings.",
		"Gemini CLI sends to where the variable points, whatever its settings file says.",
		"Unset the variable where Gemini CLI is started; it may have been meant for another tool." },
	[FINDING_PROTOCOL_GRPC] = { "protocol-grpc", HOP_TOOL, SEVERITY_BROKEN,
		"A tool speaks OTLP over gRPC; Tollgate takes OTLP over HTTP.",
		"Every export of the tool fails, mostly without a word.",
		"tollgate setup TOOL --apply, which sets http/protobuf" },
	[FINDING_PROMPTS_REDACTED] = { "prompts-redacted", HOP_TOOL, SEVERITY_WARNING,
		"A tool withholds its prompts.",
		"Turns have tokens and cost, but read <REDACTED> where the prompt should be.",
		"tollgate setup TOOL --apply; leave it when prompts are not meant to be seen" },
	[FINDING_TOOL_DETAILS_OFF] = { "tool-details-off", HOP_TOOL, SEVERITY_WARNING,
		"A tool withholds what its tools were called with.",
		"Tool calls have names and times, but no command, file or input.",
		"tollgate setup TOOL --apply; leave it when inputs are not meant to be seen" },
	[FINDING_TRACES_OFF] = { "traces-off", HOP_TOOL, SEVERITY_NOTE,
		"Claude Code sends log events, but not the spans of its beta.",
		"Traces are there, made of its log events; the exact times of its own spans are missing.",
		"tollgate setup claude-code --apply, which sets OTEL_TRACES_EXPORTER and CLAUDE_CODE_ENHANCED_TELEMETRY_BETA" },
	[FINDING_LOGS_OFF] = { "logs-off", HOP_TOOL, SEVERITY_WARNING,
		"A tool sends spans or metrics, but no log events.",
		"Prompts, answers and costs are missing, or there are no traces at all.",
		"tollgate setup TOOL --apply" },
	[FINDING_HOOKS_MISSING] = { "hooks-missing", HOP_TOOL, SEVERITY_WARNING,
		"Tollgate's hooks are not, or not all, in a tool's settings.",
		"Turns end late, and sessions do not say when they wait for you.",
		"tollgate setup TOOL --apply" },
	[FINDING_HOOK_NOT_FOUND] = { "hook-not-found", HOP_TOOL, SEVERITY_BROKEN,
		"The command of a hook is not found.",
		"The tool reports that a hook failed, or says nothing; no hook arrives.",
		"Put tollgate into the PATH that the tool is started with, or tollgate setup TOOL --apply again." },
	[FINDING_SESSION_ID_OFF] = { "session-id-off", HOP_TOOL, SEVERITY_WARNING,
		"A tool's records have no session id.",
		"Its calls are there, but belong to no session.",
		"Set OTEL_METRICS_INCLUDE_SESSION_ID=true, or take the variable away." },
	[FINDING_SILENT] = { "silent", HOP_TOOL, SEVERITY_WARNING,
		"A tool is set up, and nothing came from it.",
		"Its settings are right, but no trace of it is to be found.",
		"Begin a new session of the tool: running ones keep the settings that they began with." },
	[FINDING_SDK_ON_INGESTION] = { "sdk-on-ingestion", HOP_TOOL, SEVERITY_WARNING,
		"An old Langfuse SDK sends traces over the ingestion API.",
		"Its traces reach Langfuse alone: without Tollgate's prices, and no copy goes elsewhere.",
		"Update the SDK: Python to 3 or later, JavaScript to 4 or later; these send OTLP." },

	[FINDING_DAEMON_DOWN] = { "daemon-down", HOP_DOOR, SEVERITY_BROKEN,
		"The daemon does not run.",
		"Tools cannot export and lose what they say; hooks are kept in a small file until it runs.",
		"tollgate serve, or as a service: systemctl start tollgate" },
	[FINDING_CONTROL_DENIED] = { "control-denied", HOP_DOOR, SEVERITY_WARNING,
		"The daemon runs, but you may not ask it.",
		"Data passes; status, show, cost and half of doctor's checks are refused.",
		"Become a member of the socket's group: usermod -aG GROUP USER, then log in again." },
	[FINDING_PORT_TAKEN] = { "port-taken", HOP_DOOR, SEVERITY_BROKEN,
		"Another program listens at the daemon's address.",
		"The daemon does not start, and tools post their telemetry to the other program.",
		"Stop that program, or choose another port with the setting listen and run tollgate setup again." },
	[FINDING_OWN_CERTIFICATE_ENDED] = { "own-certificate-ended", HOP_DOOR, SEVERITY_BROKEN,
		"The certificate of the daemon's listener has ended.",
		"Tools refuse the connection, mostly without a word.",
		"Renew the file that tls.certificate_file names, then send the daemon SIGHUP." },
	[FINDING_OWN_CERTIFICATE_ENDS] = { "own-certificate-ends", HOP_DOOR, SEVERITY_WARNING,
		"The certificate of the daemon's listener ends soon.",
		"Nothing yet; from that day on tools refuse the connection.",
		"Renew the file that tls.certificate_file names, then send the daemon SIGHUP." },

	[FINDING_CONFIGURATION] = { "configuration", HOP_DAEMON, SEVERITY_BROKEN,
		"The configuration cannot be read, or something in it is wrong.",
		"The daemon does not start; one that runs goes on with what it read before.",
		"Mend what is named; tollgate config --check says whether it is right." },
	[FINDING_KEY_FILE_MISSING] = { "key-file-missing", HOP_DAEMON, SEVERITY_BROKEN,
		"A file of keys is not there, or cannot be read.",
		"The daemon does not start; one that runs goes on with the keys that it read before.",
		"Write the key into the file, readable for the daemon's user alone (chmod 600)." },
	[FINDING_KEY_FILE_EMPTY] = { "key-file-empty", HOP_DAEMON, SEVERITY_BROKEN,
		"A file of keys holds nothing.",
		"The daemon does not start; one that runs goes on with the keys that it read before.",
		"Write the key into the file." },
	[FINDING_KEY_FILE_OPEN] = { "key-file-open", HOP_DAEMON, SEVERITY_BROKEN,
		"Everyone on this machine can read a file of keys.",
		"The daemon refuses such a file and does not start.",
		"chmod o= FILE; if others may have read it, make a new key as well" },
	[FINDING_KEY_FILE_NEWLINE] = { "key-file-newline", HOP_DAEMON, SEVERITY_NOTE,
		"A file of keys ends with a newline.",
		"Tollgate takes it off; another program that reads the file may send it with the key and get 401.",
		"Write it without: printf %s KEY > FILE" },
	[FINDING_KEYS_SWAPPED] = { "keys-swapped", HOP_DAEMON, SEVERITY_BROKEN,
		"A public and a secret key of Langfuse are exchanged.",
		"Langfuse answers 401; everything waits on the disk.",
		"Exchange them: public_key begins with pk-lf-, secret_key with sk-lf-." },
	[FINDING_STATE_NOT_WRITABLE] = { "state-not-writable", HOP_DISK, SEVERITY_BROKEN,
		"The state directory cannot be made, or not written.",
		"The daemon does not start.",
		"Give the directory to the daemon's user, or choose another with the setting state_directory." },
	[FINDING_DISK_FLOOR] = { "disk-floor", HOP_DISK, SEVERITY_BROKEN,
		"The disk has no room left for the daemon's log.",
		"Doors answer 503; tools try again for a while, then lose what they say.",
		"Make room on that disk, or lower spool.min_free_bytes." },
	[FINDING_DISK_FAILS] = { "disk-fails", HOP_DISK, SEVERITY_BROKEN,
		"The disk refuses to write the daemon's log.",
		"Doors answer 503; tools try again for a while, then lose what they say.",
		"Look for errors of the disk in dmesg; the daemon goes on by itself once it can write." },
	[FINDING_CLOCK_SKEW] = { "clock-skew", HOP_DAEMON, SEVERITY_WARNING,
		"This machine's clock is wrong by more than a minute.",
		"Traces stand at the wrong time, or outside of the time that Langfuse or Grafana shows.",
		"timedatectl set-ntp true" },
	[FINDING_PRICES_OLD] = { "prices-old", HOP_PRICES, SEVERITY_WARNING,
		"The price table is old.",
		"Cost is computed with prices that may have changed; new models get none.",
		"Install a newer Tollgate, or name a newer table with pricing.file." },
	[FINDING_UNKNOWN_MODELS] = { "unknown-models", HOP_PRICES, SEVERITY_WARNING,
		"Calls of some models got no cost.",
		"Their traces show tokens without cost, and sums are too low.",
		"tollgate prices list --unknown says why; prices of your own go into the file that pricing.overrides names" },

	[FINDING_NO_DESTINATION] = { "no-destination", HOP_DESTINATION, SEVERITY_WARNING,
		"No destination is configured.",
		"What arrives is in the local view alone (tollgate show); Langfuse and Grafana stay empty.",
		"Set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or TOLLGATE_TEMPO_ENDPOINT, or destinations in the configuration." },
	[FINDING_OURSELVES] = { "ourselves", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination is the daemon's own door.",
		"The daemon refuses to start, or answers 508: what it delivers would come in again.",
		"Set the destination's endpoint to the server that is meant." },
	[FINDING_WRONG_REGION] = { "wrong-region", HOP_DESTINATION, SEVERITY_BROKEN,
		"The keys are of another region of Langfuse Cloud.",
		"Langfuse answers 401 to keys that are right; everything waits on the disk.",
		"Set the endpoint to the region that is named." },
	[FINDING_BASE_URL_PATH] = { "base-url-path", HOP_DESTINATION, SEVERITY_BROKEN,
		"An endpoint has a wrong path, or is no API but a page.",
		"The destination answers 404 or 405, or with a page; everything waits on the disk.",
		"Set the endpoint to the base URL alone, such as https://cloud.langfuse.com." },
	[FINDING_UNAUTHORIZED] = { "unauthorized", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination does not accept the keys (401).",
		"Nothing new is to be seen there; everything waits on the disk.",
		"Take the pair from the project's settings (API keys), then restart the daemon or send it SIGHUP." },
	[FINDING_PLAN_USED_UP] = { "plan-used-up", HOP_DESTINATION, SEVERITY_BROKEN,
		"Langfuse has suspended ingestion: the plan's units are used up (403).",
		"Nothing new is to be seen in Langfuse; everything waits on the disk.",
		"Change the plan or wait for the next period; what waits is sent then." },
	[FINDING_FORBIDDEN] = { "forbidden", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination refuses the credentials' access (403).",
		"Nothing new is to be seen there; everything waits on the disk.",
		"Use keys of a project, not of an organisation; ask whoever runs the destination." },
	[FINDING_RATE_LIMITED] = { "rate-limited", HOP_DESTINATION, SEVERITY_WARNING,
		"A destination limits the rate (429).",
		"Traces come late; nothing is lost.",
		"Raise batch_size and batch_timeout_ms of the destination, or its limit over there." },
	[FINDING_UNREACHABLE] = { "unreachable", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination cannot be reached.",
		"Nothing new is to be seen there; everything waits on the disk.",
		"See that it runs, and that the endpoint's name and port are right from this machine." },
	[FINDING_CERTIFICATE] = { "certificate", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination's certificate is not accepted: expired, of another name, or of an unknown authority.",
		"Nothing new is to be seen there; everything waits on the disk.",
		"Renew it over there, or name its authority with the destination's ca_file." },
	[FINDING_REFUSES] = { "refuses", HOP_DESTINATION, SEVERITY_BROKEN,
		"A destination refuses what it is sent.",
		"Nothing new is to be seen there; what is refused waits or becomes dead letters.",
		"Look into the destination's own log for the reason." },
	[FINDING_HELD] = { "held", HOP_DESTINATION, SEVERITY_BROKEN,
		"Deliveries to a destination are on hold.",
		"Everything waits on the disk, and is tried rarely.",
		"tollgate spool says what was answered; mend that and restart the daemon, or wait for the next try." },
	[FINDING_DEAD_LETTERS] = { "dead-letters", HOP_DESTINATION, SEVERITY_WARNING,
		"There are dead letters: spans that a destination refused for good.",
		"Single spans or traces are missing there.",
		"tollgate spool dead list says why; then tollgate spool dead retry --all, or drop" },
	[FINDING_LAG] = { "lag", HOP_DESTINATION, SEVERITY_WARNING,
		"Deliveries to a destination are behind.",
		"Traces come late.",
		"tollgate spool shows what waits; raise in_flight of the destination, or ask what slows it down." },
};
/* clang-format on */

/* NULL without memory. */
__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char text[TEXT_MAX];
	vsnprintf(text, sizeof text, format, args);
	return strdup(text);
}

static bool grow(struct findings *findings)
{
	struct finding *grown = realloc(findings->at, (findings->count + 1) * sizeof *findings->at);
	if (grown)
		findings->at = grown;
	return grown;
}

static void finding_done(struct finding *finding)
{
	free(finding->about);
	free(finding->what);
	free(finding->mend);
}

void findings_add(struct findings *findings, enum finding_kind kind, const char *about,
	const char *mend, const char *format, ...)
{
	const struct finding_row *row = &finding_rows[kind];
	struct finding finding = {
		.kind = kind,
		.about = strdup(about),
		.mend = strdup(mend ? mend : row->mend),
	};
	if (format) {
		va_list args;
		va_start(args, format);
		finding.what = format_text(format, args);
		va_end(args);
	} else {
		finding.what = strdup(row->what);
	}
	if (finding.about && finding.what && finding.mend && grow(findings)) {
		findings->at[findings->count++] = finding;
		return;
	}
	finding_done(&finding);
	findings->is_incomplete = true;
}

bool findings_have(const struct findings *findings, enum finding_kind kind)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->at[i].kind == kind)
			return true;
	return false;
}

static bool is_before(const struct finding *one, const struct finding *other)
{
	enum hop hop = finding_rows[one->kind].hop, other_hop = finding_rows[other->kind].hop;
	return hop != other_hop ? hop < other_hop : one->kind < other->kind;
}

void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->count; i++)
		for (size_t j = i; j && is_before(&findings->at[j], &findings->at[j - 1]); j--) {
			struct finding earlier = findings->at[j];
			findings->at[j] = findings->at[j - 1];
			findings->at[j - 1] = earlier;
		}
}

const struct finding *findings_first_broken(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (finding_rows[findings->at[i].kind].severity == SEVERITY_BROKEN)
			return &findings->at[i];
	return NULL;
}

enum severity findings_worst(const struct findings *findings)
{
	enum severity worst = SEVERITY_NOTE;
	for (size_t i = 0; i < findings->count; i++) {
		enum severity severity = finding_rows[findings->at[i].kind].severity;
		worst = severity > worst ? severity : worst;
	}
	return worst;
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		finding_done(&findings->at[i]);
	free(findings->at);
	*findings = (struct findings){ 0 };
}
