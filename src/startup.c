#include "startup.h"

#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "config/settings.h"
#include "config/show.h"
#include "export/destination.h"
#include "http/certificate.h"
#include "pricing/price.h"

/* Whoever set another address would look for us there in vain. */
static void take_listen(struct config *config, char *listen)
{
	char set[LOG_TEXT_MAX];
	const struct origin *origin = &config->origins[setting_find("listen") - settings];
	if (origin->kind != ORIGIN_DEFAULT && strcmp(config->listen, listen) != 0)
		log_event(LOG_LEVEL_WARNING, "setting_not_applied",
			"why=\"listen is %s, but the service manager listens for Tollgate at %s: write "
			"ListenStream= in its socket unit\"",
			log_text(set, config->listen), listen);
	config->listen = listen;
}

int startup_read(const struct startup_sources *sources, struct startup *ret_setup,
	struct complaint *complaint)
{
	struct startup startup = { 0 };
	char path[CONFIG_PATH_MAX];
	const char *file =
		sources->file ? sources->file : config_find_file(sources->environment, path);
	if (file)
		snprintf(startup.file, sizeof startup.file, "%s", file);
	int error = config_load(file, sources->environment, sources->flags, &startup.config,
		&startup.notes, complaint);
	if (!error && sources->listen)
		take_listen(startup.config, sources->listen);
	if (!error)
		error = prices_load(startup.config->pricing.file, startup.config->pricing.overrides,
			&startup.prices, complaint);
	if (error)
		startup_done(&startup);
	else
		*ret_setup = startup;
	return error;
}

void startup_done(struct startup *startup)
{
	prices_free(startup->prices);
	config_notes_free(startup->notes);
	config_free(startup->config);
	*startup = (struct startup){ 0 };
}

int startup_check(const struct config *config, struct complaint *complaint)
{
	char shown[LOG_TEXT_MAX];
	int error = directory_check(config->state_directory);
	if (error)
		return complain(complaint, "state_directory %s cannot be made or written: %s",
			log_text(shown, config->state_directory), strerror(-error));
	for (size_t i = 0; i < config->destination_count && !error; i++)
		if (config->destinations[i].enabled)
			error = destination_check_not_ours(
				&config->destinations[i], config->listen, complaint);
	if (!error && config->tls.certificate_file) {
		struct http_certificate *certificate = NULL;
		error = http_certificate_new(config->tls.certificate_file, config->tls.key_file,
			&certificate, complaint);
		http_certificate_free(certificate);
	}
	return error ? error : access_check(config, complaint);
}

void startup_warn_old_prices(const struct prices *prices)
{
	unsigned age_days = prices_age_days(prices, clock_unix_ns());
	if (age_days >= PRICES_OLD_DAYS)
		log_event(LOG_LEVEL_WARNING, "prices_old",
			"as_of=%s age_days=%u why=\"prices may have changed since: install a newer "
			"Tollgate, or set pricing.file or pricing.overrides\"",
			prices_as_of(prices), age_days);
}

void startup_log_failure(const struct complaint *complaint)
{
	char file[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	log_event(LOG_LEVEL_ERROR, "reload_failed", "file=%s line=%d why=%s",
		log_text(file, complaint->file), complaint->line, log_text(text, complaint->text));
}

struct change {
	char names[512]; /* of what is taken over, divided by blanks */
	size_t len;
};

static void note_reloaded(const char *name, const struct setting *row, void *arg)
{
	struct change *change = arg;
	size_t room = sizeof change->names - change->len;
	if (!row || !row->is_reloaded || strlen(name) + 1 >= room)
		return;
	change->len += (size_t)snprintf(
		change->names + change->len, room, "%s%s", change->len ? " " : "", name);
}

static void log_restart(const char *name, const struct setting *row, void *arg)
{
	(void)arg;
	if (!row || !row->is_reloaded)
		log_event(LOG_LEVEL_WARNING, "setting_needs_restart", "name=%s", name);
}

void startup_log_changes(
	const struct config *first, const struct startup *before, const struct startup *now)
{
	struct change change = { 0 };
	char text[LOG_TEXT_MAX];
	config_compare(
		before->config ? before->config : first, now->config, note_reloaded, &change);
	config_compare(first, now->config, log_restart, NULL);
	log_event(LOG_LEVEL_INFO, "reloaded", "changed=%s models=%zu prices_as_of=%s",
		log_text(text, change.names), prices_count(now->prices), prices_as_of(now->prices));
	startup_warn_old_prices(now->prices);
}
