#include "cli/gateway.h"

#include <stdio.h>
#include <string.h>

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
