/* The order of events, which depends on nothing but what they say. */
#include "synthesize/lookup.h"
#include "synthesize/plan.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_said(const struct said *a, const struct said *b)
{
	int order = bytes_compare(a->text, b->text);
	return order ? order : bytes_compare(bytes_of(a->mark), bytes_of(b->mark));
}

static int compare_keys(const struct event *a, const struct event *b)
{
	const struct bytes first[] = { a->turn, a->agent, a->thread, a->call, a->tool, a->session,
		a->parent_agent, a->started_agent, a->trace_id, a->span_id, a->native.trace_id,
		a->native.span_id, a->name, a->model, a->side, a->tier, a->user, a->error,
		a->error_type, a->native.span, a->native.resource, a->native.scope };
	const struct bytes second[] = { b->turn, b->agent, b->thread, b->call, b->tool, b->session,
		b->parent_agent, b->started_agent, b->trace_id, b->span_id, b->native.trace_id,
		b->native.span_id, b->name, b->model, b->side, b->tier, b->user, b->error,
		b->error_type, b->native.span, b->native.resource, b->native.scope };
	int order = 0;
	for (size_t i = 0; !order && i < sizeof first / sizeof *first; i++)
		order = bytes_compare(first[i], second[i]);
	return order;
}

static uint64_t bits_of(double number)
{
	uint64_t bits;
	memcpy(&bits, &number, sizeof bits);
	return bits;
}

static int compare_figures(const struct event *a, const struct event *b)
{
	const uint64_t first[] = { a->turn_ns, a->said_ns, a->has_duration, a->duration_ns,
		a->first_token_ns, a->wait_ns, a->is_by_person, a->may_be_side, a->text_length,
		a->is_background, a->is_wordless, a->tokens.are_said, a->tokens.input,
		a->tokens.cache_read, a->tokens.cache_write, a->tokens.has_cache_lives,
		a->tokens.cache_write_5m, a->tokens.cache_write_1h, a->tokens.output,
		a->tokens.reasoning, a->has_cost, bits_of(a->cost_usd), a->ending, a->status_code,
		a->attempts, a->has_exit_code, (uint64_t)a->exit_code, a->native.role };
	const uint64_t second[] = { b->turn_ns, b->said_ns, b->has_duration, b->duration_ns,
		b->first_token_ns, b->wait_ns, b->is_by_person, b->may_be_side, b->text_length,
		b->is_background, b->is_wordless, b->tokens.are_said, b->tokens.input,
		b->tokens.cache_read, b->tokens.cache_write, b->tokens.has_cache_lives,
		b->tokens.cache_write_5m, b->tokens.cache_write_1h, b->tokens.output,
		b->tokens.reasoning, b->has_cost, bits_of(b->cost_usd), b->ending, b->status_code,
		b->attempts, b->has_exit_code, (uint64_t)b->exit_code, b->native.role };
	int order = 0;
	for (size_t i = 0; !order && i < sizeof first / sizeof *first; i++)
		order = compare_numbers(first[i], second[i]);
	return order;
}

int held_compare(const struct held *a, const struct held *b)
{
	const struct event *first = &a->event, *second = &b->event;
	int order = compare_numbers(first->time_ns, second->time_ns);
	if (!order)
		order = compare_numbers(first->kind, second->kind);
	if (!order)
		order = compare_keys(first, second);
	if (!order)
		order = compare_figures(first, second);
	if (!order)
		order = compare_said(&first->text, &second->text);
	if (!order)
		order = compare_said(&first->input, &second->input);
	return order ? order : compare_said(&first->output, &second->output);
}
