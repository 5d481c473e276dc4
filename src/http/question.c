#include "http/request.h"

#include <assert.h>
#include <netinet/in.h>
#include <strings.h>

const char *http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_target(const struct http_request *request)
{
	return request->fault ? "/" : (const char *)request->target.at;
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

int64_t http_request_length(const struct http_request *request)
{
	return request->length;
}

void http_request_set_caller(struct http_request *request, const void *caller)
{
	request->caller = caller;
}

const void *http_request_caller(const struct http_request *request)
{
	return request->caller;
}

static bool is_loopback(const struct sockaddr *address)
{
	static const uint8_t v4_in_v6[13] = { [10] = 0xff, 0xff, 127 };
	union {
		const struct sockaddr *any;
		const struct sockaddr_in *v4;
		const struct sockaddr_in6 *v6;
	} peer = { address };
	switch (address->sa_family) {
	case AF_INET:
		return ntohl(peer.v4->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&peer.v6->sin6_addr) ||
			memcmp(&peer.v6->sin6_addr, v4_in_v6, sizeof v4_in_v6) == 0;
	default:
		return address->sa_family == AF_UNIX;
	}
}

bool http_request_is_local(const struct http_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return info && info->client_addr && is_loopback(info->client_addr) &&
		!http_request_header(request, "Forwarded") &&
		!http_request_header(request, "X-Forwarded-For");
}

const char *http_request_argument(const struct http_request *request, const char *name)
{
	const char *value = NULL;
	enum MHD_Result found = MHD_lookup_connection_value_n(
		request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL);
	return found == MHD_YES && !value ? "" : value;
}

struct argument_search {
	const char *const *known;
	const char *odd;
};

static enum MHD_Result search_argument(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)value;
	struct argument_search *search = arg;
	for (const char *const *known = search->known; *known; known++)
		if (strcmp(*known, name) == 0)
			return MHD_YES;
	search->odd = name;
	return MHD_NO;
}

const char *http_request_odd_argument(const struct http_request *request, const char *const *known)
{
	struct argument_search search = { .known = known };
	MHD_get_connection_values(
		request->connection, MHD_GET_ARGUMENT_KIND, search_argument, &search);
	return search.odd;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct header_walk {
	bool (*each)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result walk_header(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct header_walk *walk = arg;
	return walk->each(walk->arg, name, value) ? MHD_YES : MHD_NO;
}

void http_request_each_header(const struct http_request *request,
	bool (*each)(void *arg, const char *name, const char *value), void *arg)
{
	struct header_walk walk = { each, arg };
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, walk_header, &walk);
}

struct word_search {
	const char *header;
	const char *word;
	bool found;
};

static enum MHD_Result search_line(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	static const char between[] = " \t,;";
	struct word_search *search = arg;
	if (!value || strcasecmp(name, search->header) != 0)
		return MHD_YES;
	size_t len = strlen(search->word);
	for (const char *at = value; *(at += strspn(at, between)); at += strcspn(at, between))
		if (strcspn(at, between) == len && strncasecmp(at, search->word, len) == 0)
			search->found = true;
	return search->found ? MHD_NO : MHD_YES;
}

bool http_request_has_word(const struct http_request *request, const char *header, const char *word)
{
	struct word_search search = { .header = header, .word = word };
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, search_line, &search);
	return search.found;
}

void http_request_own(struct http_request *request, void *owned, void (*free_owned)(void *owned))
{
	assert(!request->owned);
	request->owned = owned;
	request->free_owned = free_owned;
}
