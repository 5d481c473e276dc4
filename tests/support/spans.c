#include "support/spans.h"

#include "support/wire.h"

/* Field numbers of opentelemetry/proto/trace/v1/trace.proto. */
enum {
	REQUEST_RESOURCE_SPANS = 1,
	RESOURCE_SPANS_SCOPE_SPANS = 2,
	SCOPE_SPANS_SPANS = 2,
	SPAN_SPAN_ID = 2,
};

/* The next field of this number that holds bytes. */
static bool next_of(struct wire *wire, uint32_t number, struct bytes *ret)
{
	struct wire_field field;
	while (wire_next(wire, &field))
		if (field.number == number && field.type == 2) {
			*ret = field.bytes;
			return true;
		}
	return false;
}

static bool each_of_scope(
	struct bytes scope, void (*each)(struct bytes span_id, void *arg), void *arg)
{
	struct wire spans = wire_of(scope);
	struct bytes message, one, id;
	while (next_of(&spans, SCOPE_SPANS_SPANS, &message)) {
		struct wire span = wire_of(message);
		for (id = (struct bytes){ 0 }; next_of(&span, SPAN_SPAN_ID, &one);)
			id = one;
		if (span.is_broken)
			return false;
		each(id, arg);
	}
	return !spans.is_broken;
}

bool spans_each(struct bytes request, void (*each)(struct bytes span_id, void *arg), void *arg)
{
	struct wire resources = wire_of(request);
	struct bytes resource, scope;
	while (next_of(&resources, REQUEST_RESOURCE_SPANS, &resource)) {
		struct wire scopes = wire_of(resource);
		while (next_of(&scopes, RESOURCE_SPANS_SCOPE_SPANS, &scope))
			if (!each_of_scope(scope, each, arg))
				return false;
		if (scopes.is_broken)
			return false;
	}
	return !resources.is_broken;
}

static void count(struct bytes span_id, void *arg)
{
	*(size_t *)arg += 1;
}

size_t spans_count(struct bytes request)
{
	size_t n = 0;
	return spans_each(request, count, &n) ? n : 0;
}
