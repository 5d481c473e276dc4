/*
 * The requests that tests have: one trace for each vocabulary, the OTLP vectors of both encodings, and what
 * is unusual about the wire but has to be accepted.
 */
#ifndef TG_TESTS_SUPPORT_CORPUS_H
#define TG_TESTS_SUPPORT_CORPUS_H

#include "base/bytes.h"

struct corpus_request {
	char name[96]; /* path under tests/fixtures */
	bool is_json;
	struct bytes body;
};

struct corpus {
	struct corpus_request *requests;
	size_t count;
};

/* The traces under fixtures/vocabularies, by name; each has its expectation beside it. */
struct corpus corpus_of_vocabularies(void);
/* Those and all others that a door accepts, be it without some of their spans. */
struct corpus corpus_of_all(void);
void corpus_free(struct corpus *corpus);

/* The body in protobuf, to be freed; empty when the JSON reader refuses it. */
struct bytes corpus_protobuf(const struct corpus_request *request);

#endif
