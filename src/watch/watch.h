/*
 * What operators see. A view answers one question about the running daemon in JSON; the control socket
 * serves them all, and the commands print them. A view is one file that ends in one `const struct view`,
 * and one line in views.c.
 */
#ifndef TG_WATCH_WATCH_H
#define TG_WATCH_WATCH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct complaint;
struct config;
struct deliveries;
struct destination_config;
struct exporter;
struct http_certificate;
struct http_request;
struct ledger;
struct local;
struct proxy;
struct sources;
struct spool;
struct synthesizer;
struct tariff;

struct watched_destination {
	const struct destination_config *config;
	struct exporter *exporter;
};

/* What is looked at; filled by daemon.c, and constant while anything looks. */
struct watch {
	const struct config *config;
	const char *address;     /* where it listens; NULL: as configured */
	uint64_t started_ns;     /* Unix time */
	struct sources *sources; /* NULL: nobody notes them (tests) */
	struct spool *spool;
	struct deliveries *deliveries;
	struct ledger *ledger;
	const struct watched_destination *destinations;
	size_t destination_count;
	struct local *local; /* NULL: off */
	struct tariff *tariff;
	struct synthesizer *synthesizer;      /* NULL: off */
	struct proxy *proxy;                  /* NULL: there is none (tests) */
	struct http_certificate *certificate; /* NULL: the main listener speaks no TLS */
};

struct view {
	const char *method; /* GET; POST where something changes */
	const char *path;

	/*
	 * From any thread; may take its time. Arguments: http_request_argument(request, ...). The answer's
	 * size is the view's to bound; over 64 MiB of text the socket refuses it.
	 *
	 * 0 with a new reference, or negative errno with a sentence for the person who asked: -EINVAL a wrong
	 * argument (400), -ENOENT no such thing (404), -EAGAIN or -ENOMEM not now (503), else 500.
	 */
	int (*answer)(const struct watch *watch, const struct http_request *request,
		json_t **ret_answer, struct complaint *complaint);

	/* All that it takes, ends with NULL; others are refused. NULL: anything is let through. */
	const char *const *arguments;
};

/* The table; ends with NULL. */
extern const struct view *const views[];

#endif
