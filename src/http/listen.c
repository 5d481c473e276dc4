#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HOST_MAX = 256,
	BACKLOG = 1024, /* the kernel cuts it to net.core.somaxconn */
};

/* Cuts the address at its last colon; the brackets around an IPv6 host go. */
static int split(const char *address, char host[HOST_MAX], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	if (!colon || !colon[1])
		return -EINVAL;
	size_t len = (size_t)(colon - address);
	if (len && address[0] == '[') {
		if (len < 2 || address[len - 1] != ']')
			return -EINVAL;
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL;
	}
	if (len >= HOST_MAX)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int open_socket(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		info->ai_protocol);
	if (fd < 0)
		return -errno;
	const int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int http_listen(const char *address, int *ret_fd, struct complaint *complaint)
{
	char host[HOST_MAX];
	const char *port;
	if (split(address, host, &port) < 0)
		return complain(complaint,
			"listen address \"%s\" is not host:port or [IPv6 address]:port", address);

	/* Without a name: any address when passive, else loopback, for which no resolver is needed. */
	bool is_localhost = strcasecmp(host, "localhost") == 0;
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = (is_localhost ? 0 : AI_PASSIVE) | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int status = getaddrinfo(host[0] && !is_localhost ? host : NULL, port, &hints, &found);
	if (status != 0)
		return complain(
			complaint, "listen address \"%s\": %s", address, gai_strerror(status));

	int fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
		fd = open_socket(info);
	freeaddrinfo(found);
	if (fd < 0) {
		complain(complaint, "cannot listen on %s: %s", address, strerror(-fd));
		return fd;
	}
	*ret_fd = fd;
	return 0;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Of the family 0 when it is no socket. */
static union address address_of(int fd)
{
	union address address = { 0 };
	socklen_t len = sizeof address;
	return getsockname(fd, &address.any, &len) < 0 ? (union address){ 0 } : address;
}

static bool is_listening(int fd)
{
	int listens = 0;
	socklen_t len = sizeof listens;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

int http_listen_address(int fd, char ret_address[HTTP_ADDRESS_MAX], struct complaint *complaint)
{
	char host[HTTP_ADDRESS_MAX - 10];
	const union address address = address_of(fd);
	bool is_v6 = address.any.sa_family == AF_INET6;
	socklen_t len = is_v6 ? sizeof address.v6 : sizeof address.v4;
	if (!is_listening(fd) || (!is_v6 && address.any.sa_family != AF_INET) ||
		getnameinfo(&address.any, len, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
		return complain(complaint,
			"the service manager's socket is none that listens for TCP: write "
			"ListenStream= with an address and a port in its socket unit");
	snprintf(ret_address, HTTP_ADDRESS_MAX, is_v6 ? "[%s]:%u" : "%s:%u", host,
		http_listen_port(fd));
	return 0;
}

unsigned http_listen_port(int fd)
{
	const union address address = address_of(fd);
	if (address.any.sa_family == AF_INET6)
		return ntohs(address.v6.sin6_port);
	return address.any.sa_family == AF_INET ? ntohs(address.v4.sin_port) : 0;
}
