/* Order of the sources, and what must hold between settings. What one value may be: values.c. */
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/nearest.h"
#include "config/environment.h"
#include "config/loader.h"
#include "config/objects.h"
#include "config/values.h"

enum { ARENA_MAX_BYTES = 4 << 20 };

/* What config_load hands out is the first member: all its texts go with it. */
struct loaded {
	struct config config;
	struct arena arena;
};

const struct section *loader_section(const char *name)
{
	for (size_t i = 0; i < SECTION_COUNT; i++)
		if (strcmp(sections[i].name, name) == 0)
			return &sections[i];
	return NULL;
}

/*
 * Takes a name of three parts apart: the section, the object in it and its setting, which may have dots too
 * where there is none of that name. NULL for a setting of the whole program.
 */
static const struct section *split_name(
	const char *name, char object[OBJECT_NAME_MAX], const char **ret_setting)
{
	char section[OBJECT_NAME_MAX];
	const char *dot = strchr(name, '.'), *last = strrchr(name, '.');
	if (dot == last || dot - name >= OBJECT_NAME_MAX || last - dot > OBJECT_NAME_MAX)
		return NULL;
	snprintf(section, sizeof section, "%.*s", (int)(dot - name), name);
	snprintf(object, OBJECT_NAME_MAX, "%.*s", (int)(last - dot - 1), dot + 1);
	*ret_setting = last + 1;
	return loader_section(section);
}

bool loader_find(const struct loader *loader, const char *name, struct loader_place *ret_place)
{
	char object_name[OBJECT_NAME_MAX];
	const char *word;
	struct object object;
	const struct section *section = split_name(name, object_name, &word);
	const struct setting *setting =
		section ? section_setting_find(section, word) : setting_find(name);
	if (!setting || (section && !object_find(loader->config, section, object_name, &object)))
		return false;
	*ret_place = section ? (struct loader_place){ setting, object.base,
		&object.origins[setting_of(setting) - section->settings] } :
			       (struct loader_place){ setting, loader->config,
				       &loader->config->origins[setting - settings] };
	return true;
}

/* The first `parts` parts of a dotted name. */
static void cut_name(const char *name, size_t parts, char out[NEAREST_MAX])
{
	const char *end = name;
	while (*end && (*end != '.' || --parts))
		end++;
	snprintf(out, NEAREST_MAX, "%.*s", (int)(end - name), name);
}

void loader_nearest(const struct loader *loader, const char *name, char out[128])
{
	char object[OBJECT_NAME_MAX];
	const char *last = strrchr(name, '.'), *word = last ? last + 1 : name;
	size_t parts = 1;
	const struct section *section = split_name(name, object, &word);
	if (section) {
		struct nearest nearest = { .wanted = word };
		for (size_t i = 0; i < section->setting_count; i++)
			nearest_offer(&nearest, section->settings[i].name);
		snprintf(out, 128, "%.*s.%s", (int)(last - name < 60 ? last - name : 60), name,
			nearest.word);
		return;
	}
	for (const char *c = name; *c; c++)
		parts += *c == '.';
	struct nearest nearest = { .wanted = name };
	for (size_t i = 0; i < SECTION_COUNT && parts == 1; i++)
		nearest_offer(&nearest, sections[i].name);
	bool is_singular = nearest.word[0] && nearest.distance == 1;
	for (size_t i = 0; i < setting_count && !is_singular; i++) {
		const char *dot = strrchr(settings[i].name, '.');
		if (dot && strcmp(dot + 1, word) == 0) { /* the right word, in the wrong group */
			snprintf(out, 128, "%s", settings[i].name);
			return;
		}
		char candidate[NEAREST_MAX];
		cut_name(settings[i].name, parts, candidate);
		nearest_offer(&nearest, candidate);
	}
	snprintf(out, 128, "%s", nearest.word);
}

void loader_note_origin(struct loader *loader, struct origin *origin, const char *named, int line)
{
	bool is_file = loader->origin == ORIGIN_FILE;
	const char *name =
		is_file ? loader->file : arena_copy(loader->arena, named, strlen(named) + 1);
	*origin = (struct origin){ loader->origin, name ? name : "", line };
}

int loader_set(struct loader *loader, const char *name, const char *text, const char *named)
{
	struct loader_place found;
	if (!loader_find(loader, name, &found)) {
		char nearest[128], shown[LOG_TEXT_MAX], object[OBJECT_NAME_MAX];
		const char *word;
		loader_nearest(loader, name, nearest);
		if (strcmp(name, nearest) == 0) /* the setting is, what has it is not */
			return complain(loader->complaint,
				"%s: neither file nor environment has this %s", named,
				split_name(name, object, &word)->one);
		return complain(loader->complaint, "%s is no setting; the nearest is %s",
			log_text(shown, name), nearest);
	}
	struct value_place place = { named, loader->arena, loader->complaint, loader->credentials };
	int error = value_set_text(found.setting, found.base, text, &place);
	if (!error)
		loader_note_origin(loader, found.origin, named, 0);
	return error;
}

static int set_defaults(struct loader *loader, const struct setting *rows, size_t count, void *base,
	bool is_langfuse)
{
	for (size_t i = 0; i < count; i++) {
		const struct setting *row = &rows[i];
		const char *text = is_langfuse && row->langfuse_fallback ? row->langfuse_fallback :
									   row->fallback;
		struct value_place place = { row->name, loader->arena, loader->complaint };
		int error = text ? value_set_text(row, base, text, &place) : 0;
		if (error)
			return error;
	}
	return 0;
}

/* All default; NULL without memory. */
static struct origin *make_origins(struct arena *arena, size_t count)
{
	struct origin *origins = arena_alloc(arena, count * sizeof *origins);
	for (size_t i = 0; origins && i < count; i++)
		origins[i] = (struct origin){ ORIGIN_DEFAULT, NULL, 0 };
	return origins;
}

struct destination_config *loader_add_destination(
	struct loader *loader, const char *name, enum destination_type type, const char *named)
{
	struct config *config = loader->config;
	if (config->destination_count == DESTINATIONS_MAX) {
		complain(loader->complaint, "%s is one too many: there may be %d destinations",
			named, DESTINATIONS_MAX);
		return NULL;
	}
	struct destination_config *destination = &config->destinations[config->destination_count];
	const struct section *section = &sections[SECTION_DESTINATIONS];
	*destination = (struct destination_config){
		.name = arena_copy(loader->arena, name, strlen(name) + 1),
		.type = type,
		.origins = make_origins(loader->arena, section->setting_count),
	};
	if (!destination->name || !destination->origins) {
		complain(loader->complaint, "%s does not fit: the configuration is too large",
			named);
		return NULL;
	}
	if (set_defaults(loader, section->settings, section->setting_count, destination,
		    type == DESTINATION_LANGFUSE) < 0)
		return NULL;
	config->destination_count++;
	return destination;
}

struct project_config *loader_add_project(struct loader *loader, const char *name)
{
	struct config *config = loader->config;
	if (config->project_count == PROJECTS_MAX) {
		complain(loader->complaint, "projects.%s is one too many: there may be %d projects",
			name, PROJECTS_MAX);
		return NULL;
	}
	struct project_config *project = &config->projects[config->project_count];
	*project = (struct project_config){
		.name = arena_copy(loader->arena, name, strlen(name) + 1),
		.origins = make_origins(loader->arena, sections[SECTION_PROJECTS].setting_count),
	};
	if (!project->name || !project->origins) {
		complain(loader->complaint,
			"projects.%s does not fit: the configuration is too large", name);
		return NULL;
	}
	config->project_count++;
	return project;
}

void loader_note(struct loader *loader, const char *format, ...)
{
	char text[512], *note = NULL;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	char **grown = realloc(loader->notes, (loader->note_count + 2) * sizeof *grown);
	if (grown)
		loader->notes = grown;
	if (!grown || !(note = strdup(text)))
		return; /* nothing depends on a note */
	grown[loader->note_count++] = note;
	grown[loader->note_count] = NULL;
}

static int read_flags(struct loader *loader, char *const *flags)
{
	loader->origin = ORIGIN_FLAG;
	for (; flags && *flags; flags++) {
		char name[128], named[160], shown[LOG_TEXT_MAX];
		size_t len = strcspn(*flags, "=");
		if (!(*flags)[len] || len == 0 || len >= sizeof name)
			return complain(loader->complaint, "--set %s must be written as name=value",
				log_text(shown, *flags));
		snprintf(name, sizeof name, "%.*s", (int)len, *flags);
		snprintf(named, sizeof named, "--set %s", name);
		struct loader_place place;
		if (loader_find(loader, name, &place) && place.setting->is_secret)
			return complain(loader->complaint,
				"%s: every process can read flags; write it in the configuration file",
				named);
		if (loader_set(loader, name, *flags + len + 1, named) < 0)
			return -EINVAL;
	}
	return 0;
}

/* A complaint about `name`, at its line when the file has it. */
#define COMPLAIN_AT(loader, name, ...) \
	(complain((loader)->complaint, __VA_ARGS__), loader_locate(loader, name))

static bool is_given(const struct destination_config *destination, const char *name)
{
	const struct section *section = &sections[SECTION_DESTINATIONS];
	const struct setting *row = section_setting_find(section, name);
	return destination->origins[row - section->settings].kind != ORIGIN_DEFAULT;
}

/* As destination_config.signals. */
enum { TRACES = 1, LOGS = 2, METRICS = 4 };

static int settle_signals(
	struct loader *loader, struct destination_config *destination, const char *key)
{
	char signals[80];
	unsigned own = (destination->traces_endpoint ? TRACES : 0) |
		(destination->logs_endpoint ? LOGS : 0) |
		(destination->metrics_endpoint ? METRICS : 0);
	bool is_told = is_given(destination, "signals");
	snprintf(signals, sizeof signals, "%s.signals", key);
	if (destination->type == DESTINATION_LANGFUSE)
		return destination->signals == TRACES ?
			0 :
			COMPLAIN_AT(loader, signals,
				"%s must be [\"traces\"]: Langfuse takes nothing else", signals);
	if (!is_told)
		destination->signals = destination->endpoint ? TRACES | own : own;
	else if (!destination->endpoint && destination->signals & ~own)
		return COMPLAIN_AT(loader, signals,
			"%s names what has no endpoint: write %s.endpoint, or one for each",
			signals, key);
	else if (own & ~destination->signals)
		loader_note(loader, "an endpoint in %s does not apply: %s does not name its signal",
			key, signals);
	if (destination->content != CONTENT_FULL && destination->signals & ~TRACES) {
		loader_note(loader,
			"%s takes traces alone: %s.content is not \"full\", and what of logs and "
			"metrics is content nobody knows",
			key, key);
		destination->signals &= TRACES;
	}
	return 0;
}

static bool has_header(const struct destination_config *destination, const char *name)
{
	size_t i = 0;
	while (i < destination->header_count && strcasecmp(destination->headers[i].name, name) != 0)
		i++;
	return i < destination->header_count;
}

static int check_destination(struct loader *loader, struct destination_config *destination)
{
	char key[64];
	const char *name = destination->name;
	snprintf(key, sizeof key, "destinations.%s", name);
	if (destination->retry_initial_ms > destination->retry_max_ms)
		return COMPLAIN_AT(
			loader, key, "%s.retry_initial_ms must not be above retry_max_ms", key);
	if (!destination->enabled)
		return 0;
	if (is_given(destination, "content_max_bytes") && destination->content != CONTENT_CUT)
		loader_note(loader,
			"%s.content_max_bytes does not apply: %s.content is not \"cut\"", key, key);
	bool has_keys = destination->public_key && destination->secret_key;
	if (destination->type == DESTINATION_LANGFUSE && !has_keys)
		return COMPLAIN_AT(loader, key,
			"%s needs public_key and secret_key (or %s_key_file)", key,
			destination->secret_key ? "public" : "secret");
	if (destination->type == DESTINATION_LANGFUSE && has_header(destination, "Authorization"))
		return COMPLAIN_AT(loader, key,
			"%s.headers has Authorization, which is made of public_key and secret_key",
			key);
	if (destination->type != DESTINATION_OTLP)
		return settle_signals(loader, destination, key);
	if (destination->public_key || destination->secret_key)
		return COMPLAIN_AT(loader, key,
			"%s has keys, which only type langfuse takes: use headers", key);
	if (!destination->endpoint && !destination->traces_endpoint &&
		!destination->logs_endpoint && !destination->metrics_endpoint)
		return COMPLAIN_AT(loader, key,
			"%s.endpoint is missing: write a URL such as http://127.0.0.1:4318", key);
	return settle_signals(loader, destination, key);
}

static int check_proxy(struct loader *loader)
{
	const struct config *config = loader->config;
	char shown[LOG_TEXT_MAX];
	return !config->proxy.destination || config_langfuse(config) ?
		0 :
		COMPLAIN_AT(loader, "proxy.destination",
			"proxy.destination must name an enabled destination of type langfuse, not %s",
			log_text(shown, config->proxy.destination));
}

static int check_tls(struct loader *loader)
{
	const struct config *config = loader->config;
	const char *given = config->tls.certificate_file ? "tls.certificate_file" : "tls.key_file",
		   *missing = config->tls.key_file ? "tls.certificate_file" : "tls.key_file";
	return !config->tls.certificate_file == !config->tls.key_file ?
		0 :
		COMPLAIN_AT(loader, given, "%s needs %s beside it", given, missing);
}

/* A caller's key pair must tell one project. */
static int check_apart(struct loader *loader, const char *key, const char *public_key,
	const char *section, const char *other, const char *other_key)
{
	return strcmp(public_key, other_key) != 0 ?
		0 :
		COMPLAIN_AT(loader, key, "%s has the public_key of %s.%s: each project has its own",
			key, section, other);
}

static int check_project(struct loader *loader, const struct project_config *project)
{
	const struct config *config = loader->config;
	const struct destination_config *langfuse = config_langfuse(config);
	char key[64];
	snprintf(key, sizeof key, "projects.%s", project->name);
	if (!project->public_key || !project->secret_key)
		return COMPLAIN_AT(loader, key,
			"%s needs public_key and secret_key (or %s_key_file)", key,
			project->secret_key ? "public" : "secret");
	if (!langfuse)
		return COMPLAIN_AT(loader, key,
			"%s needs an enabled destination of type langfuse for its traces", key);
	int error = check_apart(loader, key, project->public_key, "destinations", langfuse->name,
		langfuse->public_key);
	for (const struct project_config *other = config->projects; other < project && !error;
		other++)
		error = check_apart(loader, key, project->public_key, "projects", other->name,
			other->public_key);
	return error;
}

static bool lies_in(const char *path, const char *directory)
{
	size_t len = strlen(directory);
	while (len && directory[len - 1] == '/')
		len--;
	return strncmp(path, directory, len) == 0 && path[len] == '/';
}

static int check_together(struct loader *loader)
{
	const struct config *config = loader->config;
	/* A segment holds its head and at least one record, which gzip may make a little longer. */
	uint64_t record_room =
		config->spool.max_record_bytes + config->spool.max_record_bytes / 8 + (32 << 10);
	if (config->spool.segment_bytes < record_room)
		return COMPLAIN_AT(loader, "spool.segment_bytes",
			"spool.segment_bytes must be at least %llu, so that a record of spool.max_record_bytes fits",
			(unsigned long long)record_room);
	if (config->spool.max_bytes < config->spool.segment_bytes)
		return COMPLAIN_AT(loader, "spool.max_bytes",
			"spool.max_bytes must be at least spool.segment_bytes, %llu",
			(unsigned long long)config->spool.segment_bytes);
	if (config->limits.max_memory_bytes < config->limits.max_request_memory_bytes)
		return COMPLAIN_AT(loader, "limits.max_memory_bytes",
			"limits.max_memory_bytes must be at least limits.max_request_memory_bytes, %llu",
			(unsigned long long)config->limits.max_request_memory_bytes);
	for (size_t i = 0; i < config->destination_count; i++)
		if (check_destination(loader, &config->destinations[i]) < 0)
			return -EINVAL;
	if (check_proxy(loader) < 0 || check_tls(loader) < 0)
		return -EINVAL;
	for (size_t i = 0; i < config->project_count; i++)
		if (check_project(loader, &config->projects[i]) < 0)
			return -EINVAL;
	if (config->control_group && lies_in(config->control_socket, config->state_directory))
		return COMPLAIN_AT(loader, "control_group",
			"control_group cannot reach %s: the state directory is its owner's alone; set "
			"control_socket, such as /run/tollgate/control.sock",
			config->control_socket);
	return 0;
}

/* What systemd gives the unit, else the place that the XDG directories name. */
static int find_state_directory(struct loader *loader, char *const *environment)
{
	char path[4096];
	const char *given = environment_value(environment, "STATE_DIRECTORY");
	const char *xdg = environment_value(environment, "XDG_STATE_HOME"),
		   *home = environment_value(environment, "HOME");
	if (loader->config->state_directory)
		return 0;
	const char *named = given  ? "STATE_DIRECTORY" :
		xdg && *xdg == '/' ? "XDG_STATE_HOME" :
				     "HOME";
	if (given)
		snprintf(path, sizeof path, "%.*s", (int)strcspn(given, ":"), given);
	else if (xdg && *xdg == '/')
		snprintf(path, sizeof path, "%s/tollgate", xdg);
	else if (home)
		snprintf(path, sizeof path, "%s/.local/state/tollgate", home);
	else
		return complain(loader->complaint,
			"state_directory is not set, and there is no HOME to put it in");
	loader->origin = ORIGIN_ENVIRONMENT;
	return loader_set(loader, "state_directory", path, named);
}

static int find_control_socket(struct loader *loader, char *const *environment)
{
	char path[4096];
	const char *runtime = environment_value(environment, "RUNTIME_DIRECTORY");
	const char *directory = runtime ? runtime : loader->config->state_directory;
	if (loader->config->control_socket)
		return 0;
	snprintf(path, sizeof path, "%.*s/control.sock",
		(int)(runtime ? strcspn(runtime, ":") : strlen(directory)), directory);
	loader->origin = runtime ? ORIGIN_ENVIRONMENT : ORIGIN_DEFAULT;
	return loader_set(
		loader, "control_socket", path, runtime ? "RUNTIME_DIRECTORY" : "control_socket");
}

/* False also where looking is not allowed: that place is somebody else's. */
static bool is_there(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0;
}

const char *config_find_file(char *const *environment, char path[CONFIG_PATH_MAX])
{
	const char *given = environment_value(environment, "TOLLGATE_CONFIG"),
		   *xdg = environment_value(environment, "XDG_CONFIG_HOME"),
		   *home = environment_value(environment, "HOME");
	bool has_xdg = xdg && *xdg == '/';
	if (given)
		return given;
	if (has_xdg || home)
		snprintf(path, CONFIG_PATH_MAX, "%s%s/tollgate/tollgate.json", has_xdg ? xdg : home,
			has_xdg ? "" : "/.config");
	if ((has_xdg || home) && is_there(path))
		return path;
	snprintf(path, CONFIG_PATH_MAX, "/etc/tollgate/tollgate.json");
	return is_there(path) ? path : NULL;
}

int config_load(const char *file, char *const *environment, char *const *flags,
	struct config **ret_config, char ***ret_notes, struct complaint *complaint)
{
	*complaint = (struct complaint){ 0 };
	struct loaded *loaded = calloc(1, sizeof *loaded);
	if (!loaded)
		return complain(complaint, "no memory for the configuration");
	arena_init(&loaded->arena, ARENA_MAX_BYTES, NULL);
	struct loader loader = {
		.config = &loaded->config,
		.arena = &loaded->arena,
		.complaint = complaint,
		.credentials = environment_value(environment, "CREDENTIALS_DIRECTORY"),
		.file = file ? arena_copy(&loaded->arena, file, strlen(file) + 1) : NULL,
	};
	loaded->config.destinations =
		arena_alloc(&loaded->arena, DESTINATIONS_MAX * sizeof *loaded->config.destinations);
	loaded->config.projects =
		arena_alloc(&loaded->arena, PROJECTS_MAX * sizeof *loaded->config.projects);
	loaded->config.origins = make_origins(&loaded->arena, setting_count);
	loader.notes = calloc(1, sizeof *loader.notes);

	int error = loader.notes && !loaded->arena.error ?
		0 :
		complain(complaint, "no memory for the configuration");
	if (!error)
		error = set_defaults(&loader, settings, setting_count, loader.config, false);
	if (!error)
		error = loader_read_file(&loader);
	if (!error)
		error = loader_read_environment(&loader, environment);
	if (!error)
		error = read_flags(&loader, flags);
	if (!error)
		error = find_state_directory(&loader, environment);
	if (!error)
		error = find_control_socket(&loader, environment);
	if (!error)
		error = check_together(&loader);
	buf_done(&loader.text);
	if (error) {
		config_free(loader.config);
		config_notes_free(loader.notes);
		return error;
	}
	*ret_config = loader.config;
	*ret_notes = loader.notes;
	return 0;
}

const struct destination_config *config_destination(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->destination_count; i++)
		if (strcmp(config->destinations[i].name, name) == 0)
			return &config->destinations[i];
	return NULL;
}

const struct destination_config *config_langfuse(const struct config *config)
{
	const char *named = config->proxy.destination;
	for (size_t i = 0; i < config->destination_count; i++) {
		const struct destination_config *at = &config->destinations[i];
		if (at->enabled && at->type == DESTINATION_LANGFUSE &&
			(!named || strcmp(at->name, named) == 0))
			return at;
	}
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	struct loaded *loaded = (struct loaded *)config;
	arena_done(&loaded->arena);
	free(loaded);
}

void config_notes_free(char **notes)
{
	for (char **note = notes; note && *note; note++)
		free(*note);
	free(notes);
}
