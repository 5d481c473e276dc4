/*
 * JSON in place: whether a text is JSON, and its tokens one by one, without building anything from it.
 *
 * Enrichment has to say for every prompt and answer whether it is JSON; parsing each into a tree for that
 * would cost more than all the rest of the way. The OTLP/JSON door writes protobuf token by token.
 * Whoever wants a tree uses jansson.
 */
#ifndef TG_BASE_JSON_SKIM_H
#define TG_BASE_JSON_SKIM_H

#include "base/bytes.h"

/* One well-formed object or array, at most 512 levels deep, with nothing but blanks around it. */
bool json_is_container(struct bytes text);
/* The same, and an array or an object. */
bool json_text_is_array(struct bytes text);
bool json_text_is_object(struct bytes text);

/*
 * The value that a member of an object has, as it is written; of several of that name the last. The text
 * has to be well formed to its end. Names written with escapes are not found.
 */
bool json_find(struct bytes text, const char *name, struct bytes *ret_value);
/* The same, if that value is a number. */
bool json_find_number(struct bytes text, const char *name, struct bytes *ret_number);

/* The part of a text that is still to be read. */
struct skim {
	const uint8_t *at, *end;
};

static inline void skim_blanks(struct skim *s)
{
	while (s->at < s->end &&
		(*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

/* Each of the following reads what it is named after, if that is what stands there, and says whether. */
static inline bool skim_byte(struct skim *s, uint8_t byte)
{
	if (s->at == s->end || *s->at != byte)
		return false;
	s->at++;
	return true;
}

bool skim_word(struct skim *s, const char *word);

/* After these have said no, the text is malformed from s->at on. */
bool skim_number(struct skim *s);

/*   ret_raw  between the quotes, with its escapes, which are sound */
bool skim_string(struct skim *s, struct bytes *ret_raw, bool *ret_has_escapes);

enum { SKIM_MAX_DEPTH = 1024 };

/* Any value and all that is in it; brackets nest at most max_depth deep, and never above SKIM_MAX_DEPTH. */
bool skim_value(struct skim *s, unsigned max_depth);

#endif
