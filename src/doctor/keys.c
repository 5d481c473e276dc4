/* Files of keys, and the keys themselves as far as they can be told without asking anybody. */
#include "doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"
#include "config/key_files.h"
#include "config/settings.h"

enum state {
	STATE_FINE,
	STATE_HIDDEN, /* from who asks; the daemon may see it */
	STATE_MISSING,
	STATE_OPEN,
	STATE_EMPTY,
	STATE_NEWLINE,
};

static enum state state_of_error(int error)
{
	return error == 0                           ? STATE_FINE :
		error == -EACCES || error == -EPERM ? STATE_HIDDEN :
						      STATE_MISSING;
}

/* What is more than a key is the configuration's business. */
static enum state read_key(const char *path)
{
	struct buf content;
	buf_init(&content, KEY_MAX_BYTES, NULL);
	int error = file_read(path, &content);
	size_t len = content.len;
	while (len && (content.at[len - 1] == '\n' || content.at[len - 1] == '\r'))
		len--;
	enum state state = error && error != -E2BIG ? state_of_error(error) :
		len == 0                            ? STATE_EMPTY :
		len < content.len                   ? STATE_NEWLINE :
						      STATE_FINE;
	if (content.at)
		explicit_bzero(content.at, content.len);
	buf_done(&content);
	return state;
}

/* By the mode's bits: whoever asks may be able to read everything. */
static enum state look(const struct key_file *file)
{
	struct stat status;
	if (stat(file->path, &status) < 0)
		return state_of_error(-errno);
	if (!S_ISREG(status.st_mode))
		return STATE_FINE;
	if (file->is_private && status.st_mode & 007)
		return STATE_OPEN;
	if (file->is_private && status.st_size == 0)
		return STATE_EMPTY;
	return file->is_one_key ? read_key(file->path) : STATE_FINE;
}

static void visit(const struct patient *patient,
	void (*visit_one)(const struct key_file *file, void *arg), void *arg)
{
	char found[CONFIG_PATH_MAX];
	const struct startup_sources *sources = patient->sources;
	key_files_visit(
		sources->file ? sources->file : config_find_file(sources->environment, found),
		sources->environment, visit_one, arg);
}

struct search {
	const char *text;
	bool is_found;
};

static void search(const struct key_file *file, void *arg)
{
	struct search *search = arg;
	char shown[LOG_TEXT_MAX];
	enum state state = look(file);
	if (state != STATE_FINE && state != STATE_NEWLINE &&
		strstr(search->text, log_text(shown, file->path)))
		search->is_found = true;
}

bool keys_explain(const struct patient *patient, const struct complaint *complaint)
{
	struct search found = { .text = complaint->text };
	visit(patient, search, &found);
	return found.is_found;
}

struct examination {
	const struct patient *patient;
	struct findings *findings;
};

static void examine(const struct key_file *file, void *arg)
{
	const struct examination *examination = arg;
	struct findings *findings = examination->findings;
	const char *named = file->named, *path = file->path;
	char mend[CONFIG_PATH_MAX + 64];
	switch (look(file)) {
	case STATE_FINE:
		break;
	case STATE_HIDDEN: /* a daemon that runs has read it */
		if (!daemon_runs(examination->patient))
			findings_add(findings, FINDING_KEY_FILE_MISSING, path,
				"Ask as the daemon's user (sudo -u USER tollgate doctor), or give the "
				"file to that user.",
				"%s names %s, which you may not read", named, path);
		break;
	case STATE_MISSING:
		findings_add(findings, FINDING_KEY_FILE_MISSING, path, NULL,
			"%s names %s, which is not there", named, path);
		break;
	case STATE_OPEN:
		snprintf(mend, sizeof mend, "chmod o= %s", path);
		findings_add(findings, FINDING_KEY_FILE_OPEN, path, mend,
			"%s names %s, which everyone on this machine can read", named, path);
		break;
	case STATE_EMPTY:
		findings_add(findings, FINDING_KEY_FILE_EMPTY, path, NULL,
			"%s names %s, which is empty", named, path);
		break;
	case STATE_NEWLINE:
		findings_add(findings, FINDING_KEY_FILE_NEWLINE, path, NULL,
			"%s names %s, which ends with a newline", named, path);
		break;
	}
}

static bool starts_with(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

static void examine_pair(const char *section, const char *name, const char *public_key,
	const char *secret_key, struct findings *findings)
{
	bool is_public_secret = starts_with(public_key, "sk-lf-");
	bool is_secret_public = starts_with(secret_key, "pk-lf-");
	const char *what = is_public_secret && is_secret_public ?
		"public_key and secret_key are exchanged" :
		is_public_secret ? "public_key begins with sk-lf-, which a secret key does" :
				   "secret_key begins with pk-lf-, which a public key does";
	if (is_public_secret || is_secret_public)
		findings_add(findings, FINDING_KEYS_SWAPPED, name, NULL, "%s.%s: %s", section, name,
			what);
}

void check_keys(const struct patient *patient, struct findings *findings)
{
	struct examination examination = { patient, findings };
	const struct config *config = patient->startup.config;
	visit(patient, examine, &examination);
	for (size_t i = 0; config && i < config->destination_count; i++)
		if (config->destinations[i].enabled)
			examine_pair("destinations", config->destinations[i].name,
				config->destinations[i].public_key,
				config->destinations[i].secret_key, findings);
	for (size_t i = 0; config && i < config->project_count; i++)
		examine_pair("projects", config->projects[i].name, config->projects[i].public_key,
			config->projects[i].secret_key, findings);
}
