/*
 * Whose spans they are: session, user, tags, names, environment, release and version, from wherever the
 * request says them. Each request is enriched twice, because what was added must be found again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/counters.h"
#include "enrich/enrich.h"
#include "enrich/roots.h"
#include "pricing/price.h"
#include "support/fixture.h"
#include "support/oracle.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A span as a test writes it down. One behind another of the same resource and scope shares theirs. */
struct given {
	const char *const *resource; /* "key=text", "key@=one,two" for a list; NULL for none */
	const char *scope;
	uint64_t trace, id, parent; /* parent 0: none; ALL_ZEROS: one of zeros */
	const char *name;
	const char *const *attributes;
	uint64_t start_ns;
};

#define ALL_ZEROS UINT64_MAX
#define AI "openinference.span.kind=CHAIN"

static struct config config;
static struct arena memory; /* of the requests that a test builds */

static void begin(void)
{
	static char *from_resource[] = { "team", "team.id", "department", "env", "environment" };
	config = fixture_config();
	config.identity.tags_from_resource = from_resource;
	config.identity.tags_from_resource_count = 5;
	arena_init(&memory, 1 << 30, NULL);
}

static void end(void)
{
	arena_done(&memory);
}

TestSuite(identity, .init = begin, .fini = end);

/* ---- requests ---- */

static ProtobufCBinaryData data(const char *text, size_t len)
{
	return (ProtobufCBinaryData){ len, arena_copy(&memory, text, len) };
}

static Otlp__AnyValue *text_value(const char *text, size_t len)
{
	Otlp__AnyValue *value = arena_alloc(&memory, sizeof *value);
	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = data(text, len);
	return value;
}

static Otlp__AnyValue *list_value(const char *text)
{
	Otlp__AnyValue *value = arena_alloc(&memory, sizeof *value);
	Otlp__ArrayValue *list = arena_alloc(&memory, sizeof *list);
	otlp__any_value__init(value);
	otlp__array_value__init(list);
	list->values = arena_alloc(&memory, (strlen(text) + 1) * sizeof(void *));
	for (size_t len; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		list->values[list->n_values++] = text_value(text, len);
	}
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = list;
	return value;
}

static size_t put_attributes(const char *const *texts, Otlp__KeyValue ***ret_attributes)
{
	size_t count = 0;
	while (texts && texts[count])
		count++;
	Otlp__KeyValue **attributes = arena_alloc(&memory, (count + 1) * sizeof *attributes);
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(texts[i], '=');
		bool is_list = equals[-1] == '@';
		attributes[i] = arena_alloc(&memory, sizeof **attributes);
		otlp__key_value__init(attributes[i]);
		attributes[i]->key = data(texts[i], (size_t)(equals - texts[i]) - is_list);
		attributes[i]->value = is_list ? list_value(equals + 1) :
						 text_value(equals + 1, strlen(equals + 1));
	}
	*ret_attributes = attributes;
	return count;
}

static ProtobufCBinaryData put_id(uint64_t number, size_t len)
{
	uint8_t id[16] = { 0 };
	for (size_t i = 0; i < 8; i++)
		id[len - 1 - i] = (uint8_t)(number >> 8 * i);
	return data((const char *)id, len);
}

static Otlp__Span *put_span(const struct given *given)
{
	Otlp__Span *span = arena_alloc(&memory, sizeof *span);
	otlp__span__init(span);
	span->trace_id = put_id(given->trace, 16);
	span->span_id = put_id(given->id, 8);
	if (given->parent)
		span->parent_span_id = put_id(given->parent == ALL_ZEROS ? 0 : given->parent, 8);
	span->name = data(given->name, strlen(given->name));
	span->start_time_unix_nano = given->start_ns ? given->start_ns : given->id;
	span->n_attributes = put_attributes(given->attributes, &span->attributes);
	return span;
}

static Otlp__ResourceSpans *put_resource(const struct given *given, size_t count)
{
	Otlp__ResourceSpans *resource_spans = arena_alloc(&memory, sizeof *resource_spans);
	Otlp__ScopeSpans *scope_spans = arena_alloc(&memory, sizeof *scope_spans);
	otlp__resource_spans__init(resource_spans);
	otlp__scope_spans__init(scope_spans);
	if (given->resource) {
		resource_spans->resource = arena_alloc(&memory, sizeof *resource_spans->resource);
		otlp__resource__init(resource_spans->resource);
		resource_spans->resource->n_attributes =
			put_attributes(given->resource, &resource_spans->resource->attributes);
	}
	if (given->scope) {
		scope_spans->scope = arena_alloc(&memory, sizeof *scope_spans->scope);
		otlp__instrumentation_scope__init(scope_spans->scope);
		scope_spans->scope->name = data(given->scope, strlen(given->scope));
	}
	scope_spans->spans = arena_alloc(&memory, count * sizeof(void *));
	for (size_t i = 0; i < count; i++)
		scope_spans->spans[scope_spans->n_spans++] = put_span(&given[i]);
	resource_spans->scope_spans = arena_alloc(&memory, sizeof(void *));
	resource_spans->scope_spans[0] = scope_spans;
	resource_spans->n_scope_spans = 1;
	return resource_spans;
}

static struct bytes request_of(const struct given *given, size_t count)
{
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	request.resource_spans = arena_alloc(&memory, count * sizeof(void *));
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && given[to].resource == given[from].resource &&
			given[to].scope == given[from].scope;)
			to++;
		request.resource_spans[request.n_resource_spans++] =
			put_resource(&given[from], to - from);
	}
	size_t len = otlp__export_trace_service_request__get_packed_size(&request);
	uint8_t *at = arena_alloc(&memory, len);
	cr_assert_not_null(at);
	otlp__export_trace_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

/* ---- what became of them ---- */

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

static oracle_request *enriched(const struct given *given, size_t count)
{
	struct bytes request = request_of(given, count);
	struct arena arena;
	struct enriched once, twice;
	const char *why;
	arena_init(&arena, 256 << 20, NULL);
	cr_assert_eq(enrich(request, &config, prices(), &arena, &once), 0);
	cr_expect(oracle_only_added(request, once.plain, &why), "%s", why);
	cr_assert_eq(enrich(once.plain, &config, prices(), &arena, &twice), 0);
	cr_expect(bytes_equal(once.plain, twice.plain), "the second time adds something");
	oracle_request *out = oracle_decode(once.plain);
	cr_assert_not_null(out);
	arena_done(&arena);
	return out;
}

static const oracle_span *span_of(const oracle_request *request, uint64_t id)
{
	ProtobufCBinaryData wanted = put_id(id, 8);
	for (size_t i = 0; i < oracle_span_count(request); i++) {
		const oracle_span *span = oracle_span_at(request, i);
		if (memcmp(span->span_id.data, wanted.data, 8) == 0)
			return span;
	}
	cr_assert_fail("no span %d", (int)id);
	return NULL;
}

/* "key=text", "key@=one,two", or "(absent)" behind the name. */
static const char *shown(const oracle_span *span, const char *key)
{
	static char text[8192];
	const oracle_attribute *found = oracle_find(span, key);
	int len = snprintf(text, sizeof text, "%s", key);
	if (!found) {
		snprintf(text + len, sizeof text - (size_t)len, "(absent)");
	} else if (found->value->value_case == OTLP__ANY_VALUE__VALUE_ARRAY_VALUE) {
		const Otlp__ArrayValue *list = found->value->array_value;
		len += snprintf(text + len, sizeof text - (size_t)len, "@=");
		for (size_t i = 0; i < list->n_values; i++)
			len += snprintf(text + len, sizeof text - (size_t)len, "%s%.*s",
				i ? "," : "", (int)list->values[i]->string_value.len,
				(const char *)list->values[i]->string_value.data);
	} else {
		snprintf(text + len, sizeof text - (size_t)len, "=%s", oracle_text(span, key));
	}
	return text;
}

/* As `shown`; a name alone must be absent. */
static void expect(const oracle_request *out, uint64_t id, const char *const *expected)
{
	for (; *expected; expected++) {
		size_t len = strcspn(*expected, "@=");
		char key[128], wanted[4096];
		snprintf(key, sizeof key, "%.*s", (int)len, *expected);
		snprintf(wanted, sizeof wanted, "%s%s", *expected,
			(*expected)[len] ? "" : "(absent)");
		cr_expect_str_eq(shown(span_of(out, id), key), wanted, "span %d", (int)id);
	}
}

/* Enriches and looks at one span. */
static void expect_of(
	const struct given *given, size_t count, uint64_t id, const char *const *expected)
{
	oracle_request *out = enriched(given, count);
	expect(out, id, expected);
	oracle_free(out);
}

/* One AI span that is its own root. */
static void expect_alone(
	const char *const *resource, const char *const *attributes, const char *const *expected)
{
	struct given given = { resource, NULL, 1, 1, 0, "step", attributes, 0 };
	expect_of(&given, 1, 1, expected);
}

/* ---- sources ---- */

/* Each way to say it, from the one that counts most; the last is the configuration's. */
static const struct {
	const char *what, *span, *resource, *root, *configured;
	const char *targets[4];
} sources[] = {
	{ "session", "session.id=of-span", "session.id=of-resource", "session.id=of-root", NULL,
		{ "session.id", "langfuse.session.id", "gen_ai.conversation.id" } },
	{ "user", "enduser.id=of-span", "enduser.id=of-resource", "enduser.id=of-root",
		"of-configuration", { "user.id", "langfuse.user.id" } },
	{ "trace name", "langfuse.trace.name=of-span", "langfuse.trace.name=of-resource",
		"langfuse.trace.name=of-root", NULL, { "langfuse.trace.name" } },
	{ "version", "langfuse.version=of-span", "langfuse.version=of-resource",
		"langfuse.version=of-root", NULL, { "langfuse.version" } },
	{ "tags", "langfuse.tags=of-span", "langfuse.tags=of-resource", "langfuse.tags=of-root",
		"of-configuration", { "langfuse.trace.tags", "tag.tags" } },
};

/* A span below a root of another resource, of which those before `first` are silent. */
static void expect_source(size_t s, unsigned first, const char *from)
{
	const struct given given[] = {
		{ first <= 1 ? WORDS("host.name=a", sources[s].resource) : WORDS("host.name=a"),
			NULL, 1, 2, 1, "step", first == 0 ? WORDS(AI, sources[s].span) : WORDS(AI),
			0 },
		{ WORDS("host.name=b"), NULL, 1, 1, 0, "root",
			first <= 2 ? WORDS(AI, sources[s].root) : WORDS(AI), 0 },
	};
	oracle_request *out = enriched(given, 2);
	for (const char *const *target = sources[s].targets; *target; target++) {
		char wanted[128];
		bool is_list = strcmp(sources[s].what, "tags") == 0;
		snprintf(wanted, sizeof wanted, "%s%s%s", *target, is_list ? "@=" : "=", from);
		cr_expect_str_eq(shown(span_of(out, 2), *target), wanted, "%s", sources[s].what);
	}
	oracle_free(out);
}

Test(identity, span_comes_before_resource_before_root_before_configuration)
{
	char *tags[] = { "of-configuration" };
	config.identity.user_id = "of-configuration";
	config.identity.tags = tags;
	config.identity.tag_count = 1;
	for (size_t s = 0; s < sizeof sources / sizeof *sources; s++) {
		expect_source(s, 0, "of-span");
		expect_source(s, 1, "of-resource");
		expect_source(s, 2, "of-root");
		if (sources[s].configured)
			expect_source(s, 3, sources[s].configured);
	}
}

Test(identity, environment_and_release_are_added_only_where_langfuse_would_not_find_them)
{
	config.identity.environment = "configured";
	config.identity.release = "configured";
	const char *const *root =
		WORDS(AI, "deployment.environment=of-root", "langfuse.release=of-root");
	const char *const *silent = WORDS("host.name=a");
	const char *const *says = WORDS("deployment.environment.name=of-resource",
		"langfuse.release=of-resource", "service.version=1.2");
	struct given given[] = {
		{ silent, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ silent, NULL, 1, 3, 1, "step",
			WORDS(AI, "deployment.environment=own", "langfuse.release=own"), 0 },
		{ says, NULL, 1, 4, 1, "step", WORDS(AI), 0 },
		{ WORDS("service.version=3.4"), NULL, 1, 1, 0, "root", root, 0 },
	};
	oracle_request *out = enriched(given, 4);
	expect(out, 2,
		WORDS("langfuse.environment=of-root", "langfuse.release=of-root",
			"langfuse.version=3.4"));
	expect(out, 3, WORDS("langfuse.environment", "langfuse.release=own"));
	expect(out, 4, WORDS("langfuse.environment", "langfuse.release", "langfuse.version"));
	expect(out, 1, WORDS("langfuse.environment", "langfuse.version"));
	oracle_free(out);

	given[3].attributes = WORDS(AI);
	expect_of(given, 4, 2,
		WORDS("langfuse.environment=configured", "langfuse.release=configured"));
}

Test(identity, a_version_that_only_the_resource_says_for_langfuse_is_brought_to_the_span)
{
	expect_alone(WORDS("langfuse.version=7", "service.version=1"), WORDS(AI),
		WORDS("langfuse.version=7"));
}

Test(identity, the_user_may_be_chosen)
{
	char *names[] = { "user.email", "user.account_uuid" };
	const char *const *claude =
		WORDS("span.type=x", AI, "user.id=hash", "user.account_uuid=u-1", "user.email=a@b");
	expect_alone(NULL, claude, WORDS("langfuse.user.id=hash", "user.id=hash"));
	config.identity.user_from = names;
	config.identity.user_from_count = 2;
	expect_alone(NULL, claude, WORDS("langfuse.user.id=a@b", "user.id=hash"));
	expect_alone(NULL, WORDS(AI, "user.account_uuid=u-1", "user.email="),
		WORDS("langfuse.user.id=u-1", "user.id=u-1"));
	expect_alone(WORDS("user.email=r@b"), WORDS(AI, "user.id=hash"),
		WORDS("langfuse.user.id=r@b", "user.id=hash"));
	expect_alone(WORDS("user.email=r@b"), WORDS(AI, "langfuse.user.id=me"),
		WORDS("langfuse.user.id=me", "user.id=r@b"));
	expect_alone(NULL, WORDS(AI, "user.id=hash"), WORDS("langfuse.user.id=hash"));
	expect_alone(NULL, WORDS(AI, "user.email=first", "user.email=last"),
		WORDS("langfuse.user.id=last"));
}

Test(identity, the_release_may_be_found_in_other_attributes)
{
	char *names[] = { "vcs.ref.head.revision" };
	const char *const *resource = WORDS("vcs.ref.head.revision=abc");
	config.identity.release = "configured";
	expect_alone(resource, WORDS(AI), WORDS("langfuse.release=configured"));
	config.identity.release_from = names;
	config.identity.release_from_count = 1;
	expect_alone(resource, WORDS(AI), WORDS("langfuse.release=abc"));
	expect_alone(
		resource, WORDS(AI, "vcs.ref.head.revision=def"), WORDS("langfuse.release=def"));
	expect_alone(resource, WORDS(AI, "langfuse.release=own"), WORDS("langfuse.release=own"));
	expect_alone(WORDS("langfuse.release=own"), WORDS(AI, "vcs.ref.head.revision=def"),
		WORDS("langfuse.release"));
	expect_alone(NULL, WORDS(AI), WORDS("langfuse.release=configured"));
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ WORDS("langfuse.release=said", "vcs.ref.head.revision=abc"), NULL, 1, 1, 0,
			"root", WORDS("vcs.ref.head.revision=def"), 0 },
	};
	expect_of(given, 2, 2, WORDS("langfuse.release=said"));
}

/* ---- roots ---- */

/* Two traces over two resources, a plain HTTP root, a tool below a chain below it. */
static const char *const web[] = { "service.name=web", "team=front", NULL };
static const char *const agent[] = { "service.name=agent", NULL };
static const char *const root_says[] = { "session.id=s1", "user.id=u1", "langfuse.tags@=a,b",
	"langfuse.release=r1", "langfuse.version=v1", "deployment.environment=prod", NULL };
static const char *const chain[] = { AI, NULL };
static const char *const tool[] = { "gen_ai.tool.name=search", NULL };
static const char *const plain[] = { "http.request.method=GET", NULL };
static const char *const second_says[] = { AI, "session.id=s2", NULL };
static const struct given household[] = {
	{ web, NULL, 1, 1, 0, "POST /chat", root_says, 0 },
	{ agent, NULL, 1, 2, 1, "think", chain, 0 },
	{ agent, NULL, 1, 3, 2, "tool", tool, 0 },
	{ agent, NULL, 1, 4, 3, "GET /search", plain, 0 },
	{ agent, NULL, 2, 5, 0, "second", second_says, 0 },
	{ agent, NULL, 2, 6, 5, "think", chain, 0 },
};
enum { HOUSEHOLD = sizeof household / sizeof *household };

static void expect_household(const oracle_request *out)
{
	const char *const *of_first = WORDS("session.id=s1", "langfuse.session.id=s1",
		"gen_ai.conversation.id=s1", "user.id=u1", "langfuse.user.id=u1",
		"langfuse.trace.tags@=a,b,team:front", "tag.tags@=a,b,team:front",
		"langfuse.trace.metadata.team=front", "langfuse.trace.name=POST /chat",
		"langfuse.release=r1", "langfuse.version=v1", "langfuse.environment=prod");
	expect(out, 2, of_first);
	expect(out, 3, of_first);
	expect(out, 4,
		WORDS("session.id", "langfuse.session.id", "user.id", "langfuse.user.id",
			"langfuse.trace.tags", "tag.tags", "langfuse.trace.metadata.team",
			"langfuse.trace.name", "langfuse.release", "langfuse.version",
			"langfuse.environment", "langfuse.observation.name"));
	expect(out, 1, WORDS("langfuse.trace.name", "langfuse.trace.metadata.team"));
	const char *const *of_second = WORDS("langfuse.session.id=s2", "langfuse.user.id",
		"langfuse.trace.tags", "langfuse.trace.name=second", "langfuse.release");
	expect(out, 5, of_second);
	expect(out, 6, of_second);
}

Test(identity, what_a_root_says_holds_for_the_ai_spans_of_its_trace_in_any_order)
{
	unsigned order[HOUSEHOLD] = { 0, 1, 2, 3, 4, 5 }, seed = 1;
	for (int round = 0; round < 100; round++) {
		struct given given[HOUSEHOLD];
		for (size_t i = HOUSEHOLD - 1; i > 0; i--) {
			seed = seed * 1103515245 + 12345;
			size_t j = (seed >> 16) % (i + 1);
			unsigned swapped = order[i];
			order[i] = order[j];
			order[j] = swapped;
		}
		for (size_t i = 0; i < HOUSEHOLD; i++)
			given[i] = household[order[i]];
		oracle_request *out = enriched(given, HOUSEHOLD);
		expect_household(out);
		oracle_free(out);
	}
}

Test(identity, a_parent_of_zeros_makes_a_root)
{
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ NULL, NULL, 1, 1, ALL_ZEROS, "root", WORDS(AI, "session.id=s"), 0 },
	};
	expect_of(given, 2, 2, WORDS("session.id=s", "langfuse.trace.name=root"));
}

Test(identity, of_several_roots_the_first_counts_and_the_others_fill_its_gaps)
{
	struct given given[] = {
		{ NULL, NULL, 1, 3, 1, "step", WORDS(AI), 0 },
		{ NULL, NULL, 1, 1, 0, "late", WORDS("session.id=late", "user.id=u"), 20 },
		{ NULL, NULL, 1, 2, 0, "early", WORDS("session.id=early"), 10 },
	};
	const char *const *expected =
		WORDS("session.id=early", "user.id=u", "langfuse.trace.name=early");
	expect_of(given, 3, 3, expected);
	struct given other = given[1];
	given[1] = given[2];
	given[2] = other;
	expect_of(given, 3, 3, expected);
}

static uint64_t lacking(enum counter counter)
{
	static uint64_t before[COUNTER_COUNT];
	uint64_t now = counter_read(counter), since = now - before[counter];
	before[counter] = now;
	return since;
}

/* Once: without the second enrichment, which would count again. */
static void enrich_once(const struct given *given, size_t count, struct config *with)
{
	struct arena arena;
	struct enriched out;
	arena_init(&arena, 256 << 20, NULL);
	for (enum counter c = COUNTER_LACKING_SESSION; c <= COUNTER_LACKING_VERSION; c++)
		lacking(c);
	cr_assert_eq(enrich(request_of(given, count), with, prices(), &arena, &out), 0);
	cr_assert_eq(out.span_count, count);
	arena_done(&arena);
}

Test(identity, what_nobody_says_is_counted_for_ai_spans_alone)
{
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "the root is elsewhere", WORDS(AI), 0 },
		{ NULL, NULL, 1, 3, 1, "GET /", plain, 0 },
		{ NULL, NULL, 2, 4, 0, "a root", WORDS(AI, "session.id=s", "user.id=u"), 0 },
	};
	enrich_once(given, 3, &config);
	cr_expect_eq(lacking(COUNTER_LACKING_SESSION), 1);
	cr_expect_eq(lacking(COUNTER_LACKING_USER), 1);
	cr_expect_eq(lacking(COUNTER_LACKING_TAGS), 2);
	cr_expect_eq(lacking(COUNTER_LACKING_TRACE_NAME), 1);
	cr_expect_eq(lacking(COUNTER_LACKING_ENVIRONMENT), 2);
	cr_expect_eq(lacking(COUNTER_LACKING_RELEASE), 2);
	cr_expect_eq(lacking(COUNTER_LACKING_VERSION), 2);
	expect_of(given, 1, 2, WORDS("langfuse.trace.name", "session.id"));
}

Test(identity, a_request_of_too_many_traces_is_enriched_all_the_same)
{
	enum { TRACES = 10000 };
	struct given *given = arena_alloc(&memory, 2 * TRACES * sizeof *given);
	const char *const *step = WORDS(AI), *const *root = WORDS("session.id=s", "user.id=u");
	for (uint64_t i = 0; i < TRACES; i++) {
		given[2 * i] =
			(struct given){ NULL, NULL, i + 1, 2 * i + 2, 2 * i + 1, "step", step, 0 };
		given[2 * i + 1] =
			(struct given){ NULL, NULL, i + 1, 2 * i + 1, 0, "root", root, 0 };
	}
	enrich_once(given, 2 * TRACES, &config);
	cr_expect_eq(lacking(COUNTER_LACKING_SESSION), TRACES - ROOTS_MAX);
	cr_expect_eq(lacking(COUNTER_LACKING_USER), TRACES - ROOTS_MAX);
	cr_expect_eq(lacking(COUNTER_LACKING_TRACE_NAME), TRACES - ROOTS_MAX);
}

Test(identity, a_malformed_root_is_refused_as_ever_and_one_without_ids_says_nothing)
{
	struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ NULL, NULL, 1, 1, 0, "root", WORDS("session.id=s"), 0 },
	};
	struct bytes request = request_of(given, 2);
	struct arena arena;
	struct enriched out;
	uint8_t *session = memmem(request.at, request.len, "session.id", 10);
	arena_init(&arena, 1 << 20, NULL);
	session[11]++; /* the value is longer now than its attribute */
	cr_expect_eq(enrich(request, &config, prices(), &arena, &out), -EBADMSG);
	arena_done(&arena);

	given[1].id = 0;
	arena_init(&arena, 1 << 20, NULL);
	cr_assert_eq(enrich(request_of(given, 2), &config, prices(), &arena, &out), 0);
	cr_expect_eq(out.rejected_count, 1);
	oracle_request *decoded = oracle_decode(out.plain);
	expect(decoded, 2, WORDS("session.id", "langfuse.trace.name"));
	oracle_free(decoded);
	arena_done(&arena);
}

/* ---- Langfuse's SDKs ---- */

Test(identity, a_trace_named_further_down_by_langfuses_sdk_is_called_so)
{
	const char *const *resource = WORDS("service.name=app");
	const struct given given[] = {
		{ resource, "langfuse-sdk", 1, 2, 1, "answer",
			WORDS(AI, "langfuse.trace.name=Chat"), 0 },
		{ resource, "other", 1, 3, 2, "step", WORDS(AI), 0 },
		{ resource, "langfuse-sdk", 1, 1, 0, "POST /", WORDS(AI), 0 },
	};
	oracle_request *out = enriched(given, 3);
	expect(out, 1, WORDS("langfuse.trace.name=Chat"));
	expect(out, 3, WORDS("langfuse.trace.name=Chat"));
	oracle_free(out);
}

Test(identity, a_span_that_langfuses_sdk_marks_is_a_root_beside_the_one_without_parent)
{
	const char *const *resource = WORDS("service.name=app");
	struct given given[] = {
		{ resource, "other", 1, 3, 2, "step", WORDS(AI), 0 },
		{ resource, "langfuse-sdk", 1, 2, 1, "answer",
			WORDS(AI, "langfuse.internal.is_app_root=true", "session.id=s",
				"langfuse.trace.name=marked"),
			0 },
		{ resource, "langfuse-sdk", 1, 4, 2, "further down",
			WORDS(AI, "session.id=no", "langfuse.trace.name=below"), 0 },
		{ resource, "langfuse-sdk", 1, 1, 0, "POST /",
			WORDS("session.id=first", "langfuse.trace.name=first"), 9 },
	};
	expect_of(given, 4, 3, WORDS("langfuse.trace.name=first", "session.id=first"));
	expect_of(given, 3, 3, WORDS("langfuse.trace.name=marked", "session.id=s"));
	given[1].attributes = WORDS(AI, "langfuse.internal.as_root=true", "session.id=s");
	expect_of(given, 2, 3, WORDS("langfuse.trace.name=answer", "session.id=s"));
	expect_of(given, 2, 2, WORDS("langfuse.trace.name=answer"));
}

/* ---- tags and metadata of resources ---- */

Test(identity, named_attributes_of_the_resource_become_tags_and_metadata)
{
	const char *const *resource = WORDS("team=platform", "team.id=7", "department=r&d",
		"env=dev", "environment=", "other=x");
	expect_alone(resource, WORDS(AI),
		WORDS("langfuse.trace.tags@=team:platform,team.id:7,department:r&d,env:dev",
			"tag.tags@=team:platform,team.id:7,department:r&d,env:dev",
			"langfuse.trace.metadata.team=platform",
			"langfuse.trace.metadata.team.id=7",
			"langfuse.trace.metadata.department=r&d", "langfuse.trace.metadata.env=dev",
			"langfuse.trace.metadata.environment", "langfuse.trace.metadata.other"));
	const struct given http = { resource, NULL, 1, 1, 0, "GET /", plain, 0 };
	expect_of(&http, 1, 1,
		WORDS("langfuse.trace.tags", "tag.tags", "langfuse.trace.metadata.team"));

	char *names[] = { "other" };
	config.identity.tags_from_resource = names;
	config.identity.tags_from_resource_count = 1;
	expect_alone(resource, WORDS(AI),
		WORDS("langfuse.trace.tags@=other:x", "langfuse.trace.metadata.team"));
	config.identity.tags_from_resource_count = 0;
	expect_alone(resource, WORDS(AI), WORDS("langfuse.trace.tags"));
}

Test(identity, they_stand_behind_other_tags_but_a_list_for_langfuse_stays_as_it_was_sent)
{
	char *tags[] = { "ci", "env:dev" };
	const char *const *resource = WORDS("team=platform", "env=dev");
	config.identity.tags = tags;
	config.identity.tag_count = 2;
	expect_alone(resource, WORDS(AI),
		WORDS("langfuse.trace.tags@=ci,env:dev,team:platform",
			"tag.tags@=ci,env:dev,team:platform"));
	expect_alone(resource, WORDS(AI, "tag.tags@=own"),
		WORDS("langfuse.trace.tags@=own,team:platform,env:dev", "tag.tags@=own"));
	expect_alone(resource, WORDS(AI, "langfuse.trace.tags@=own"),
		WORDS("langfuse.trace.tags@=own", "tag.tags@=own",
			"langfuse.trace.metadata.team=platform"));
}

Test(identity, metadata_that_was_sent_stays)
{
	expect_alone(WORDS("team=platform", "env=dev"),
		WORDS(AI, "langfuse.trace.metadata.team=mine"),
		WORDS("langfuse.trace.metadata.team=mine", "langfuse.trace.metadata.env=dev"));
}

/* ---- hostile ---- */

static const char *repeated(const char *head, const char *what, unsigned times)
{
	char *text = arena_alloc(&memory, strlen(head) + times * strlen(what) + 1);
	strcpy(text, head);
	for (unsigned i = 0; i < times; i++)
		strcat(text, what);
	return text;
}

static size_t text_len(const oracle_span *span, const char *key)
{
	const oracle_attribute *found = oracle_find(span, key);
	return found ? found->value->string_value.len : 0;
}

Test(identity, what_is_handed_on_is_short)
{
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ WORDS(repeated("team=", "\xc3\xa4", 500)), NULL, 1, 1, 0,
			repeated("", "\xe2\x82\xac", 400),
			WORDS(AI, repeated("session.id=", "s", 201), repeated("user.id=", "u", 200),
				repeated("langfuse.trace.tags@=", "a tag of twenty-six bytes,",
					100)),
			0 },
	};
	oracle_request *out = enriched(given, 2);
	const oracle_span *span = span_of(out, 2);
	cr_expect_null(oracle_find(span, "session.id"), "cut it would be another session");
	cr_expect_eq(text_len(span, "user.id"), 200);
	cr_expect_eq(text_len(span, "langfuse.trace.name"), 198, "whole characters");
	cr_expect_eq(text_len(span, "langfuse.trace.metadata.team"), 200);
	const Otlp__ArrayValue *tags = oracle_find(span, "langfuse.trace.tags")->value->array_value;
	size_t total = 0;
	for (size_t i = 0; i < tags->n_values; i++)
		total += tags->values[i]->string_value.len;
	cr_expect_lt(total, 2048 + 200);
	cr_expect_gt(total, 2048);
	cr_expect_eq(
		tags->values[tags->n_values - 1]->string_value.len, 199, "whole characters again");
	oracle_free(out);
}

Test(identity, a_roots_own_tags_stand_in_the_place_of_its_resources)
{
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ WORDS("tag.tags@=x,y,z"), NULL, 1, 1, 0, "root", WORDS("tag.tags=a"), 0 },
	};
	expect_of(given, 2, 2, WORDS("langfuse.trace.tags@=a"));
}

Test(identity, what_is_no_text_is_not_handed_on)
{
	const struct given given[] = {
		{ NULL, NULL, 1, 2, 1, "step", WORDS(AI), 0 },
		{ WORDS("team=\xff", "env=dev"), NULL, 1, 1, 0, "\xc3(",
			WORDS("session.id=\x80", "user.id=\xed\xa0\x80", "langfuse.tags@=a,\xfe,b",
				"langfuse.release=\xf8"),
			0 },
	};
	expect_of(given, 2, 2,
		WORDS("session.id", "user.id", "langfuse.trace.tags@=a,b,env:dev",
			"langfuse.trace.metadata.team", "langfuse.trace.name", "langfuse.release"));
}

/* ---- names ---- */

Test(identity, an_observation_is_called_as_langfuse_would_call_it)
{
	expect_alone(NULL, WORDS(AI), WORDS("langfuse.observation.name=step"));
	expect_alone(NULL, tool,
		WORDS("langfuse.observation.name=search", "langfuse.trace.name=search"));
	expect_alone(NULL, WORDS("openinference.span.kind=AGENT", "tool.name=search"),
		WORDS("langfuse.observation.name=step"));
	expect_alone(NULL, WORDS(AI, "langfuse.observation.name=mine"),
		WORDS("langfuse.observation.name=mine"));
	expect_alone(
		NULL, WORDS(AI, "logfire.msg=better"), WORDS("langfuse.observation.name=better"));
	expect_alone(NULL, plain, WORDS("langfuse.observation.name", "langfuse.trace.name"));
}

/* spec/grafana-correlation.md, "Key attributes". */
Test(identity, the_nine_key_attributes_stand_on_their_spans)
{
	const char *const *resource = WORDS("service.name=cli", "team=platform");
	const char *const *root =
		WORDS("openinference.span.kind=AGENT", "session.id=s", "user.id=u");
	const struct given given[] = {
		{ resource, NULL, 1, 1, 0, "turn", root, 0 },
		{ resource, NULL, 1, 2, 1, "chat",
			WORDS("gen_ai.operation.name=chat",
				"gen_ai.request.model=claude-sonnet-4-5",
				"gen_ai.usage.input_tokens=10", "gen_ai.usage.output_tokens=2"),
			UINT64_C(1794873600000000000) },
		{ resource, NULL, 1, 3, 2, "tool",
			WORDS("gen_ai.tool.name=Bash", "error.type=timeout"), 0 },
	};
	const char *const *of_all = WORDS("langfuse.session.id=s", "langfuse.user.id=u",
		"langfuse.trace.tags@=team:platform");
	oracle_request *out = enriched(given, 3);
	for (uint64_t id = 1; id <= 3; id++)
		expect(out, id, of_all);
	expect(out, 1,
		WORDS("openinference.span.kind=AGENT", "langfuse.observation.type=agent",
			"langfuse.observation.name=turn", "langfuse.observation.usage_details",
			"langfuse.observation.cost_details", "langfuse.observation.level"));
	expect(out, 2,
		WORDS("openinference.span.kind=LLM", "langfuse.observation.type=generation",
			"langfuse.observation.name=chat",
			"langfuse.observation.usage_details={\"input\":10,\"output\":2,\"total\":12}",
			"langfuse.observation.cost_details={\"input\":0.00003,\"output\":0.00003,"
			"\"total\":0.00006}",
			"langfuse.observation.level"));
	expect(out, 3,
		WORDS("openinference.span.kind=TOOL", "langfuse.observation.type=tool",
			"langfuse.observation.name=Bash", "langfuse.observation.level=ERROR",
			"langfuse.observation.usage_details", "langfuse.observation.cost_details"));
	oracle_free(out);
}
