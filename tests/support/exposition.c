#include "support/exposition.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FAMILIES = 256, MAX_SERIES = 4096 };

struct reading {
	char *page; /* a copy, its lines ended by NUL */
	const char *families[MAX_FAMILIES];
	size_t family_count;
	const char *series[MAX_SERIES];
	size_t series_count;
	char family[128]; /* the last one that was declared */
	bool is_counter, has_type;
};

static const char *skip_name(const char *at, bool is_label)
{
	if (!isalpha((unsigned char)*at) && *at != '_' && (is_label || *at != ':'))
		return NULL;
	while (isalnum((unsigned char)*at) || *at == '_' || (!is_label && *at == ':'))
		at++;
	return at;
}

/* Behind the closing brace, or NULL. */
static const char *skip_labels(const char *at)
{
	do {
		at = skip_name(at + 1, true);
		if (!at || at[0] != '=' || at[1] != '"')
			return NULL;
		for (at += 2; *at != '"'; at++) {
			if (*at == '\\' && !strchr("\\\"n", *++at))
				return NULL;
			if (!*at)
				return NULL;
		}
		at++;
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

static bool is_known(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static const char *read_help(struct reading *reading, char *line)
{
	const char *end = skip_name(line, false);
	if (!end || *end != ' ' || !end[1])
		return "a HELP without name or text";
	snprintf(reading->family, sizeof reading->family, "%.*s", (int)(end - line), line);
	if (is_known(reading->families, reading->family_count, reading->family))
		return "a family is declared twice";
	reading->has_type = false;
	line[end - line] = '\0';
	reading->families[reading->family_count++] = line;
	return reading->family_count == MAX_FAMILIES ? "too many families" : NULL;
}

static const char *read_type(struct reading *reading, const char *line)
{
	size_t len = strlen(reading->family);
	if (len == 0 || strncmp(line, reading->family, len) != 0 || line[len] != ' ')
		return "a TYPE that is not of the HELP above it";
	reading->is_counter = strcmp(line + len + 1, "counter") == 0;
	reading->has_type = true;
	if (!reading->is_counter && strcmp(line + len + 1, "gauge") != 0)
		return "a TYPE of neither counter nor gauge";
	bool is_total = len > 6 && strcmp(reading->family + len - 6, "_total") == 0;
	return is_total != reading->is_counter ? "_total is for counters" : NULL;
}

static const char *read_sample(struct reading *reading, char *line)
{
	const char *end = skip_name(line, false);
	size_t len = strlen(reading->family);
	if (!end || (size_t)(end - line) != len || strncmp(line, reading->family, len) != 0)
		return "a sample that is not of the family above it";
	if (!reading->has_type)
		return "a sample without TYPE";
	if (*end == '{')
		end = skip_labels(end);
	if (!end || *end != ' ')
		return "malformed labels";
	char *rest;
	double value = strtod(end + 1, &rest);
	if (rest == end + 1 || *rest)
		return "a value that is no number";
	if (reading->is_counter && !(value >= 0))
		return "a counter below zero";
	line[end - line] = '\0';
	if (is_known(reading->series, reading->series_count, line))
		return "a series comes twice";
	reading->series[reading->series_count++] = line;
	return reading->series_count == MAX_SERIES ? "too many series" : NULL;
}

static const char *read_line(struct reading *reading, char *line)
{
	if (strncmp(line, "# HELP ", 7) == 0)
		return read_help(reading, line + 7);
	if (strncmp(line, "# TYPE ", 7) == 0)
		return read_type(reading, line + 7);
	return read_sample(reading, line);
}

bool exposition_check(const char *page, char ret_why[256])
{
	struct reading *reading = calloc(1, sizeof *reading);
	const char *why = NULL;
	size_t len = strlen(page);
	reading->page = strdup(page);
	if (len == 0 || page[len - 1] != '\n')
		why = "no line feed at the end";
	unsigned number = 0;
	for (char *line = reading->page, *end; !why && *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		number++;
		why = read_line(reading, line);
	}
	if (why)
		snprintf(ret_why, 256, "line %u: %s", number, why);
	free(reading->page);
	free(reading);
	return !why;
}

double exposition_value(const char *page, const char *series)
{
	size_t len = strlen(series);
	for (const char *line = page; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, series, len) == 0 && line[len] == ' ')
			return strtod(line + len + 1, NULL);
	}
	return NAN;
}
