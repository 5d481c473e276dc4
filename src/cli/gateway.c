#include "cli/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complaint.h"
#include "cli/glance.h"
#include "config/checks.h"
#include "config/settings.h"

void gateway_url(const char *listen, bool has_tls, char url[GATEWAY_URL_MAX])
{
	if (!listen || !strchr(listen, ':'))
		listen = setting_find("listen")->fallback;
	const char *scheme = has_tls ? "https" : "http", *port = strrchr(listen, ':');
	bool is_any = port == listen || strncmp(listen, "0.0.0.0:", 8) == 0 ||
		strncmp(listen, "[::]:", 5) == 0;
	if (is_any)
		snprintf(url, GATEWAY_URL_MAX, "%s://127.0.0.1%s", scheme, port);
	else
		snprintf(url, GATEWAY_URL_MAX, "%s://%s", scheme, listen);
}

void gateway_configured(char url[GATEWAY_URL_MAX])
{
	struct complaint unread = { 0 };
	json_t *config = NULL;
	glance(NULL, &config, &unread);
	gateway_url(
		glance_text(config, "listen"), glance_text(config, "tls.certificate_file"), url);
	json_decref(config);
}

int gateway_find(const char *given, char url[GATEWAY_URL_MAX])
{
	const char *named = given ? "--url" : "TOLLGATE_URL";
	if (!given)
		given = getenv("TOLLGATE_URL");
	if (!given || !*given) {
		gateway_configured(url);
		return 0;
	}
	const char *wanted = "shorter";
	if (snprintf(url, GATEWAY_URL_MAX, "%s", given) < GATEWAY_URL_MAX)
		wanted = check_base_url(url);
	if (wanted)
		fprintf(stderr, "tollgate: %s must be %s\n", named, wanted);
	return wanted ? -EINVAL : 0;
}
