#include "daemon.h"

#include "base/log.h"
#include "config/config.h"

int daemon_run(const struct config *config, char **notes)
{
	char shown[LOG_TEXT_MAX];
	log_event(LOG_LEVEL_ERROR, "start_failed", "listen=%s", log_text(shown, config->listen));
	return 1;
}
