#include "proxy/headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *const of_a_hop[] = { "Connection", "Content-Length", "Keep-Alive", "TE",
	"Trailer", "Transfer-Encoding", "Upgrade", NULL };
static const char *const of_a_request[] = { "Authorization", "Expect", "Host", NULL };
static const char *const none[] = { NULL };

static bool is_among(const char *name, const char *const *names)
{
	while (*names && strcasecmp(*names, name) != 0)
		names++;
	return *names;
}

static bool list_has(const char *list, const char *word)
{
	static const char between[] = " \t,";
	size_t len = strlen(word);
	for (list += strspn(list, between); *list; list += strspn(list, between)) {
		size_t some = strcspn(list, between);
		if (some == len && strncasecmp(list, word, len) == 0)
			return true;
		list += some;
	}
	return false;
}

/* Whether a Connection line says that the header is meant for the next neighbour alone. */
static bool is_named(const struct http_header *headers, const char *name)
{
	for (; headers->name; headers++)
		if (strcasecmp(headers->name, "Connection") == 0 && list_has(headers->value, name))
			return true;
	return false;
}

static void filter(
	const struct http_header *came, const char *const *also, struct http_header *going)
{
	for (const struct http_header *header = came; header->name; header++)
		if (!is_among(header->name, of_a_hop) && !is_among(header->name, also) &&
			strncasecmp(header->name, "Proxy-", 6) != 0 &&
			!is_named(came, header->name))
			*going++ = *header;
	*going = (struct http_header){ 0 };
}

size_t headers_count(const struct http_header *headers)
{
	size_t count = 0;
	while (headers[count].name)
		count++;
	return count;
}

const char *headers_find(const struct http_header *headers, const char *name)
{
	while (headers->name && strcasecmp(headers->name, name) != 0)
		headers++;
	return headers->value;
}

void headers_go_upstream(const struct http_header *came, struct http_header *ret_going)
{
	filter(came, of_a_request, ret_going);
}

void headers_go_back(const struct http_header *came, struct http_header *ret_going)
{
	filter(came, none, ret_going);
}
