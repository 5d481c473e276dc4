/* Whether a destination is our own door; see destination.h. */
#include "export/destination.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* One address of either family, as bytes that can be compared. */
struct address {
	struct in6_addr ip; /* IPv4 is mapped */
	uint16_t port;
};

static struct address read_address(const struct addrinfo *info)
{
	struct address address = { 0 };
	if (info->ai_family == AF_INET6) {
		const struct sockaddr_in6 *in6 =
			(const struct sockaddr_in6 *)(const void *)info->ai_addr;
		address.ip = in6->sin6_addr;
		address.port = ntohs(in6->sin6_port);
	} else {
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)info->ai_addr;
		address.ip.s6_addr[10] = address.ip.s6_addr[11] = 0xff;
		memcpy(&address.ip.s6_addr[12], &in->sin_addr, 4);
		address.port = ntohs(in->sin_port);
	}
	return address;
}

static bool is_any(const struct in6_addr *ip)
{
	return IN6_IS_ADDR_UNSPECIFIED(ip) ||
		(IN6_IS_ADDR_V4MAPPED(ip) && memcmp(&ip->s6_addr[12], "\0\0\0\0", 4) == 0);
}

static bool is_loopback(const struct in6_addr *ip)
{
	return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
}

/* An address of this machine is one that can be bound. */
static bool is_local(const struct addrinfo *info)
{
	struct sockaddr_storage any_port = { 0 };
	memcpy(&any_port, info->ai_addr, info->ai_addrlen);
	if (info->ai_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&any_port)->sin6_port = 0;
	else
		((struct sockaddr_in *)(void *)&any_port)->sin_port = 0;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool local = bind(fd, (struct sockaddr *)(void *)&any_port, info->ai_addrlen) == 0;
	close(fd);
	return local;
}

static bool reaches(const struct addrinfo *to, const struct addrinfo *door)
{
	struct address there = read_address(to), here = read_address(door);
	if (there.port != here.port)
		return false;
	if (is_any(&here.ip))
		return is_local(to);
	if (is_any(&there.ip)) /* connecting to 0.0.0.0 reaches loopback */
		return is_loopback(&here.ip);
	return memcmp(&there.ip, &here.ip, sizeof here.ip) == 0;
}

static struct addrinfo *resolve(const char *host, const char *port, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags
	};
	struct addrinfo *found = NULL;
	/* A name that needs no resolver: curl knows it too where /etc/hosts does not. */
	if (host && strcasecmp(host, "localhost") == 0) {
		host = NULL;
		hints.ai_flags &= ~AI_PASSIVE;
	}
	return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

/* host:port or [host]:port, as it was listened on. */
static struct addrinfo *resolve_listen(const char *listen)
{
	char host[HTTP_HOST_MAX];
	const char *colon = strrchr(listen, ':');
	size_t len = colon ? (size_t)(colon - listen) : 0;
	if (!colon || len >= sizeof host)
		return NULL;
	if (len >= 2 && listen[0] == '[' && listen[len - 1] == ']') {
		listen++;
		len -= 2;
	}
	memcpy(host, listen, len);
	host[len] = '\0';
	return resolve(*host ? host : NULL, colon + 1, AI_PASSIVE);
}

static bool url_reaches(const char *url, const struct addrinfo *doors)
{
	char host[HTTP_HOST_MAX], port_text[6];
	uint16_t port;
	if (http_url_read(url, host, &port) < 0)
		return false;
	snprintf(port_text, sizeof port_text, "%u", port);
	struct addrinfo *found = resolve(host, port_text, 0);
	bool reached = false;
	for (const struct addrinfo *to = found; to; to = to->ai_next)
		for (const struct addrinfo *door = doors; door; door = door->ai_next)
			reached = reached || reaches(to, door);
	if (found)
		freeaddrinfo(found);
	return reached;
}

int destination_check_not_ours(
	const struct destination_config *config, const char *listen, struct complaint *complaint)
{
	struct endpoint endpoints[SIGNAL_COUNT];
	int error = endpoints_init(endpoints, config, complaint);
	if (error)
		return error;
	struct addrinfo *doors = resolve_listen(listen);
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT && !error; signal++)
		if (endpoints[signal].url && url_reaches(endpoints[signal].url, doors))
			error = complain(complaint,
				"destinations.%s: the endpoint is Tollgate's own door (%s), so "
				"that everything would come in again; write the destination's own address",
				config->name, listen);
	if (doors)
		freeaddrinfo(doors);
	endpoints_done(endpoints);
	return error;
}
