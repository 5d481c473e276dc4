/*
 * One row per setting: from it the file, the environment and the flags are read and checked, and the
 * help is printed. A new setting is a member of struct config and a row here.
 */
#ifndef TG_CONFIG_SETTINGS_H
#define TG_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_COUNT,
	SETTING_BYTES,
	SETTING_MILLISECONDS,
	SETTING_BOOL,
	SETTING_LIST,        /* of texts */
	SETTING_HEADERS,     /* of HTTP: name and value */
	SETTING_SECRET_FILE, /* a path; the member of the row before gets what the file holds */
	SETTING_CHOICE,      /* an enum, in the order of `choices` */
	SETTING_SET,         /* some of `choices`, at least one: a bit for each, in their order */
};

enum { KEY_MAX_BYTES = 500 };

struct setting {
	const char *name; /* dotted, as the members of struct config */
	enum setting_type type;
	bool is_secret;   /* never shown, never a flag */
	bool is_reloaded; /* at SIGHUP; the others wait for a restart */
	size_t offset; /* in struct config; of a section's setting in the struct of its objects */
	size_t count_offset;  /* lists and headers: of their number */
	uint64_t min, max;    /* numbers: the value; texts: bytes; lists and headers: items */
	const char *fallback; /* what holds when nobody says anything; NULL: unset */
	const char *langfuse_fallback; /* the same where type is langfuse; NULL: no difference */
	const char *unit;              /* NULL when the type says it */
	const char *choices;           /* texts: the words allowed, one blank between; NULL: any */
	/* Texts: NULL when fine, else what it must be. May normalise in place, never longer. */
	const char *(*check)(char *text);
	const char *sentence;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* Objects that a person names, each with the same settings: {"destinations": {"tempo": {...}}}. */
struct section {
	const char *name;
	const char *one; /* of its objects, in a sentence */
	const struct setting *settings;
	size_t setting_count;
};

enum { SECTION_DESTINATIONS, SECTION_PROJECTS, SECTION_COUNT };
extern const struct section sections[SECTION_COUNT];

/* NULL when there is none of that name. */
const struct setting *setting_find(const char *name);
const struct setting *section_setting_find(const struct section *section, const char *name);

/* The row that an object's value is known by: a key's own row for the file that holds it. */
const struct setting *setting_of(const struct setting *row);

/* TOLLGATE_ and the name in upper case with _ for dots. */
enum { SETTING_VARIABLE_MAX = 64 };
void setting_variable(const struct setting *setting, char out[SETTING_VARIABLE_MAX]);

/* What a person may write: "a whole number", "one of gzip, none"; may lie in `out`. */
enum { SETTING_FORM_MAX = 128 };
const char *setting_form(const struct setting *setting, char out[SETTING_FORM_MAX]);

/* "bytes", "ms", "spans", ...; empty for texts. */
const char *setting_unit(const struct setting *setting);

#endif
