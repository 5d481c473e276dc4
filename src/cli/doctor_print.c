#include "cli/doctor_print.h"

#include <stdio.h>

#include "doctor/doctor.h"

enum { HOP_COLUMNS = 13, LABEL_COLUMNS = 9 };

static const enum style severity_styles[] = {
	[SEVERITY_NOTE] = STYLE_DIM,
	[SEVERITY_WARNING] = STYLE_YELLOW,
	[SEVERITY_BROKEN] = STYLE_RED,
};

static const struct finding_row *row_of(const struct finding *finding)
{
	return &finding_rows[finding->kind];
}

static void put_verdict(
	const struct findings *findings, const struct terminal *terminal, struct buf *out)
{
	const struct finding *broken = findings_first_broken(findings);
	bool is_fine = findings_worst(findings) == SEVERITY_NOTE;
	char line[256];
	snprintf(line, sizeof line, "%s", is_fine ? "Nothing is wrong." : "Nothing is broken.");
	if (broken)
		snprintf(line, sizeof line, "First broken hop: %s (%s)",
			hop_name(row_of(broken)->hop), row_of(broken)->name);
	terminal_put(terminal, out, STYLE_BOLD, bytes_of(line), terminal->width);
	buf_text(out, "\n\n");
}

/* What was found at one hop, the worst in its colour. */
static void put_hop(enum hop hop, const struct findings *findings, const struct terminal *terminal,
	struct buf *out)
{
	char found[256] = "";
	size_t len = 0;
	enum severity worst = SEVERITY_NOTE;
	for (size_t i = 0; i < findings->count && len < sizeof found; i++) {
		const struct finding_row *row = row_of(&findings->at[i]);
		if (row->hop != hop)
			continue;
		worst = row->severity > worst ? row->severity : worst;
		len += (size_t)snprintf(
			found + len, sizeof found - len, "%s%s", len ? ", " : "", row->name);
	}
	buf_printf(out, "  %-*s", HOP_COLUMNS, hop_name(hop));
	terminal_put(terminal, out, len ? severity_styles[worst] : STYLE_GREEN,
		bytes_of(len ? found : "ok"), terminal->width - HOP_COLUMNS - 2);
	buf_text(out, "\n");
}

static void put_line(
	const char *label, const char *text, const struct terminal *terminal, struct buf *out)
{
	char line[4096];
	snprintf(line, sizeof line, "  %-*s%s", LABEL_COLUMNS - 2, label, text);
	terminal_put_words(terminal, out, STYLE_PLAIN, bytes_of(line), LABEL_COLUMNS);
}

static void put_finding(
	const struct finding *finding, const struct terminal *terminal, struct buf *out)
{
	const struct finding_row *row = row_of(finding);
	char heading[512];
	snprintf(heading, sizeof heading, "%s: %s: %s", severity_name(row->severity), row->name,
		finding->about);
	buf_text(out, "\n");
	terminal_put(
		terminal, out, severity_styles[row->severity], bytes_of(heading), terminal->width);
	buf_text(out, "\n");
	put_line("What", finding->what, terminal, out);
	put_line("Shows", row->shows, terminal, out);
	put_line("Mend", finding->mend, terminal, out);
}

void doctor_print(const struct findings *findings, const struct terminal *terminal, struct buf *out)
{
	put_verdict(findings, terminal, out);
	for (enum hop hop = 0; hop < HOP_COUNT; hop++)
		put_hop(hop, findings, terminal, out);
	for (size_t i = 0; i < findings->count; i++)
		put_finding(&findings->at[i], terminal, out);
}

static json_t *finding_json(const struct finding *finding)
{
	const struct finding_row *row = row_of(finding);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", row->name, "hop",
		hop_name(row->hop), "severity", severity_name(row->severity), "about",
		finding->about, "what", finding->what, "shows", row->shows, "mend", finding->mend);
}

json_t *doctor_json(const struct findings *findings)
{
	const struct finding *broken = findings_first_broken(findings);
	json_t *list = json_array(), *checked = json_array();
	for (size_t i = 0; i < findings->count; i++)
		json_array_append_new(list, finding_json(&findings->at[i]));
	for (const struct check *check = checks; check->name; check++)
		json_array_append_new(checked, json_string(check->name));
	return json_pack("{s:s?, s:o, s:o}", "first_broken", broken ? row_of(broken)->name : NULL,
		"findings", list, "checked", checked);
}

void doctor_print_list(const struct terminal *terminal, struct buf *out)
{
	for (enum finding_kind kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		const struct finding_row *row = &finding_rows[kind];
		buf_printf(out, "%s%s (%s, %s)\n", kind ? "\n" : "", row->name, hop_name(row->hop),
			severity_name(row->severity));
		put_line("What", row->what, terminal, out);
		put_line("Shows", row->shows, terminal, out);
		put_line("Mend", row->mend, terminal, out);
	}
}
