#include "base/json_line.h"

#include "base/json_skim.h"

/* From the start of an object or array to that of the value; false when it has no such. */
static bool enter(struct skim *s, const struct json_step *step)
{
	struct bytes name;
	bool has_escapes;
	if (!skim_byte(s, step->key ? '{' : '['))
		return false;
	for (size_t index = 0;; index++) {
		skim_blanks(s);
		if (step->key) {
			if (!skim_string(s, &name, &has_escapes))
				return false;
			skim_blanks(s);
			skim_byte(s, ':');
			skim_blanks(s);
		}
		if (step->key ? bytes_are(name, step->key) : index == step->index)
			return s->at < s->end;
		if (!skim_value(s, SKIM_MAX_DEPTH))
			return false;
		skim_blanks(s);
		if (!skim_byte(s, ','))
			return false;
	}
}

int json_line(struct bytes text, const struct json_step *steps, size_t count)
{
	struct skim s = { text.at, bytes_end(text) }, inside;
	skim_blanks(&s);
	for (size_t i = 0; i < count; i++) {
		inside = s;
		if (!enter(&inside, &steps[i]))
			break;
		s = inside;
	}
	int line = 1;
	for (const uint8_t *at = text.at; at < s.at; at++)
		line += *at == '\n';
	return line;
}
