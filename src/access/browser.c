#include "access/browser.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 253 };

/* The host of "host", "host:port" or "[v6]:port", without brackets; false for all else. */
static bool cut_port(const char *text, char host[NAME_MAX_BYTES + 1])
{
	bool is_v6 = *text == '[';
	text += is_v6;
	size_t len = strcspn(text, is_v6 ? "]" : ":");
	const char *port = text + len;
	if (is_v6 && *port++ != ']')
		return false;
	if (*port && (*port != ':' || port[1 + strspn(port + 1, "0123456789")]))
		return false;
	if (len == 0 || len > NAME_MAX_BYTES)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	struct in6_addr ip;
	return is_v6 == (inet_pton(AF_INET6, host, &ip) == 1);
}

static bool is_address(const char *host)
{
	struct in6_addr ip;
	return inet_pton(AF_INET, host, &ip) == 1 || inet_pton(AF_INET6, host, &ip) == 1;
}

static bool is_localhost(const char *host)
{
	static const char localhost[] = "localhost";
	size_t len = strlen(host), own = sizeof localhost - 1;
	return len >= own && strcasecmp(host + len - own, localhost) == 0 &&
		(len == own || host[len - own - 1] == '.');
}

bool host_is_loopback(const char *host)
{
	char name[NAME_MAX_BYTES + 1];
	struct in_addr v4;
	struct in6_addr v6;
	if (!cut_port(host, name))
		return false;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, name, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
			(IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
	return is_localhost(name);
}

static bool is_one_of(const char *text, struct texts texts)
{
	for (size_t i = 0; i < texts.count; i++)
		if (strcasecmp(text, texts.at[i]) == 0)
			return true;
	return false;
}

bool host_is_ours(const char *host, const char *hostname, struct texts known)
{
	char name[NAME_MAX_BYTES + 1];
	return cut_port(host, name) &&
		(!strchr(name, '.') || is_address(name) || is_localhost(name) ||
			strcasecmp(name, hostname) == 0 || is_one_of(name, known));
}

bool origin_is_welcome(const char *origin, const char *host, struct texts known)
{
	static const char *const schemes[] = { "http://", "https://" };
	if (is_one_of("*", known) || is_one_of(origin, known))
		return true;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		const char *authority = origin + strlen(schemes[i]);
		if (strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0)
			return (*authority && host && strcasecmp(authority, host) == 0) ||
				host_is_loopback(authority);
	}
	return false;
}
