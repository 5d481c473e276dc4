#include "cli/prose.h"

#include <string.h>

static struct bytes behind(struct bytes text, size_t len)
{
	return (struct bytes){ text.at + len, text.len - len };
}

/* Up to the mark, or all of it. */
static struct bytes up_to(struct bytes text, const char *mark)
{
	const uint8_t *at = memmem(text.at, text.len, mark, strlen(mark));
	return at ? (struct bytes){ text.at, (size_t)(at - text.at) } : text;
}

static struct bytes trim(struct bytes text)
{
	while (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	return text;
}

bool prose_next(struct bytes *text, struct prose *ret_prose)
{
	while (text->len && *text->at == '\n')
		*text = behind(*text, 1);
	if (!text->len)
		return false;
	struct bytes paragraph = up_to(*text, "\n\n");
	*text = behind(*text, paragraph.len);
	*ret_prose = (struct prose){ .text = trim(paragraph) };
	if (bytes_start_with(paragraph, "# ")) {
		ret_prose->kind = PROSE_HEADING;
		ret_prose->text = behind(ret_prose->text, 2);
	} else if (bytes_start_with(paragraph, "- ")) {
		ret_prose->kind = PROSE_ITEM;
		ret_prose->term = up_to(behind(ret_prose->text, 2), ": ");
		ret_prose->text = behind(ret_prose->text, 2 + ret_prose->term.len);
		ret_prose->text = behind(ret_prose->text, ret_prose->text.len < 2 ? 0 : 2);
	} else if (bytes_start_with(paragraph, "\t")) {
		ret_prose->kind = PROSE_VERBATIM;
	}
	return true;
}
