/*
 * A kind of place that data goes to, and how to address it. One file each, listed in destinations.c.
 */
#ifndef TG_EXPORT_DESTINATION_H
#define TG_EXPORT_DESTINATION_H

#include "base/buf.h"
#include "batch.h"
#include "config/config.h"
#include "http/client.h"
#include "spool/spool.h"

struct destination {
	const char *name;
	unsigned shapes; /* of the records it wants, or-ed */

	/*
	 * Appends the URL for one signal. 0; -ENOENT when it does not take the signal; -EINVAL with words
	 * in `complaint`.
	 */
	int (*write_url)(const struct destination_config *config, enum signal signal,
		struct buf *url, struct complaint *complaint);

	/* Adds what only this kind needs; NULL for nothing. 0, -EINVAL with words, or -ENOMEM. */
	int (*add_headers)(const struct destination_config *config, struct http_headers *headers,
		struct complaint *complaint);
};

/* The value of Authorization for a key pair. 0, -EINVAL: too long; -ENOMEM. To be freed. */
int langfuse_authorization(const char *public_key, const char *secret_key, char **ret_value);

/*
 * Appends Langfuse's base URL as the endpoint says it, without a slash at its end and without an API path.
 * 0; -ENOENT: there is no endpoint; the buf's error.
 */
int langfuse_base_url(const struct destination_config *config, struct buf *url);

extern const struct destination destination_langfuse;
extern const struct destination destination_otlp;

const struct destination *destination_of(enum destination_type type);

/* Where the requests of one signal go. */
struct endpoint {
	char *url;                       /* NULL: the destination does not take this signal */
	struct http_headers *headers[2]; /* by enum encoding */
};

/*
 * The endpoints of a destination, by enum signal: of what it is configured for, and of events in any case
 * where its kind takes them. 0, -EINVAL with words, or -ENOMEM.
 */
int endpoints_init(struct endpoint endpoints[SIGNAL_COUNT], const struct destination_config *config,
	struct complaint *complaint);
void endpoints_done(struct endpoint endpoints[SIGNAL_COUNT]);

/*
 * The destination as a lane has it: a Langfuse with the pair of the lane's project, all else as it is. Points into
 * both. False when there is no pair: these projects are without the lane's.
 */
bool destination_in_lane(const struct destination_config *config,
	const struct project_config *projects, size_t project_count, const char *lane,
	struct destination_config *ret_config);

/* The same URLs for the same signals. Keys belong to an address: new ones are not shown to another one. */
bool destination_same_address(
	const struct destination_config *a, const struct destination_config *b);

/*
 * Refuses a destination whose host and port are our own door's: what it delivers would come in again.
 * A name that does not resolve now is let pass; Via catches what is hidden behind a proxy.
 *
 *   listen  host:port that the door is bound to, [host]:port for IPv6
 *
 * 0, or -EINVAL with words.
 */
int destination_check_not_ours(
	const struct destination_config *config, const char *listen, struct complaint *complaint);

#endif
