#include "pricing/pattern.h"

#include <string.h>

/* The end of the bracket expression that starts at `at`: "[]a]" and "[^]a]" hold a bracket. */
static const char *skip_brackets(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at && *at != ']')
		at++;
	return *at ? at + 1 : at;
}

/* The end of the group that starts at `at`. */
static const char *skip_group(const char *at)
{
	int depth = 0;
	while (*at) {
		if (*at == '[') {
			at = skip_brackets(at);
			continue;
		}
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0)
			return at + 1;
		at++;
	}
	return at;
}

/* The length of the quantifier at `at`, 0 when there is none. */
static size_t quantifier_length(const char *at)
{
	if (*at != '{')
		return *at == '*' || *at == '+' || *at == '?';
	const char *end = strchr(at, '}');
	return end ? (size_t)(end - at) + 1 : strlen(at);
}

/*
 * The longest run of plain characters outside of any group, between the anchors. False when there is
 * an alternative out there, of which no part is certain.
 */
static bool find_literal(const char *at, char literal[PATTERN_MAX + 1])
{
	char run[PATTERN_MAX + 1];
	size_t len = 0;
	literal[0] = '\0';
	while (*at) {
		const char *next = at + 1;
		bool is_plain = !strchr("^$.[(|*+?{", *at);
		char plain = *at;
		if (*at == '|')
			return false;
		if (*at == '[')
			next = skip_brackets(at);
		else if (*at == '(')
			next = skip_group(at);
		else if (*at == '\\' && at[1])
			plain = *next++;
		size_t quantifier = quantifier_length(next);
		if (is_plain && quantifier == 0)
			run[len++] = plain;
		if (!is_plain || quantifier > 0 || !*next) {
			run[len] = '\0';
			if (len > strlen(literal))
				memcpy(literal, run, len + 1);
			len = 0;
		}
		at = next + quantifier;
	}
	return true;
}

/* "{8}" or "{1,16}": numbers of two digits at most. */
static bool counts_little(const char *brace)
{
	static const char digits[] = "0123456789";
	const char *at = brace + 1;
	size_t from = strspn(at, digits), to = 0;
	at += from;
	if (*at == ',') {
		to = strspn(++at, digits);
		at += to;
	}
	return from <= 2 && to <= 2 && *at == '}';
}

/*
 * What is wrong with an expression before it is compiled; NULL when nothing is. regcomp copies what it
 * repeats, so that repeated groups, "a++++" and "a{9999}" could take all memory: these are refused.
 * Escapes that are not POSIX ("\\d", "\\<") mean something to one library and nothing to the next.
 */
static const char *find_fault(const char *at)
{
	enum { NOTHING, ATOM, GROUP, QUANTIFIER } before = NOTHING;
	while (*at) {
		size_t quantifier = quantifier_length(at);
		if (quantifier > 0) {
			if (before == QUANTIFIER)
				return "a quantifier follows a quantifier";
			if (before == GROUP && *at != '?')
				return "only ? may follow a group";
			if (*at == '{' && !counts_little(at))
				return "counts further than 99";
			before = QUANTIFIER;
			at += quantifier;
			continue;
		}
		before = *at == ')' ? GROUP : ATOM;
		if (*at == '\\' && (!at[1] || !strchr("^.[]$()|*+?{}\\", at[1])))
			return "escapes what POSIX does not let be escaped";
		at = *at == '[' ? skip_brackets(at) : *at == '\\' ? at + 2 : at + 1;
	}
	return NULL;
}

int pattern_compile(struct pattern *pattern, const char *expression, const struct place *place)
{
	size_t len = strlen(expression);
	if (len > PATTERN_MAX)
		return refuse_at(place, "longer than %d characters", PATTERN_MAX);
	if (len < 2 || expression[0] != '^' || expression[len - 1] != '$' ||
		expression[len - 2] == '\\')
		return refuse_at(place, "must start with ^ and end with $");
	const char *fault = find_fault(expression);
	if (fault)
		return refuse_at(place, "%s", fault);
	if (!find_literal(expression, pattern->literal))
		return refuse_at(place, "alternatives must stand in parentheses");
	int error = regcomp(&pattern->regex, expression, REG_EXTENDED | REG_NOSUB);
	if (error) {
		char why[128];
		regerror(error, &pattern->regex, why, sizeof why);
		return refuse_at(place, "%s", why);
	}
	return 0;
}

void pattern_done(struct pattern *pattern)
{
	regfree(&pattern->regex);
}

bool pattern_matches(const struct pattern *pattern, const char *name)
{
	return strstr(name, pattern->literal) && regexec(&pattern->regex, name, 0, NULL, 0) == 0;
}
