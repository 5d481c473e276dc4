/* The sessions of coding CLIs that are open, and what each is doing. */
#include <errno.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "synthesize/synthesis.h"
#include "synthesizer.h"
#include "watch/watch.h"

static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	return json ? json : json_string_nocheck("");
}

static json_t *session_json(const struct live_session *session)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I}",
		"cli", session->cli, "session_id", text_json(session->id), "project",
		text_json(session->project), "state", live_state_name(session->state), "waits_for",
		text_json(session->waits_for), "turn", text_json(session->turn_name), "turn_number",
		(int)session->turn_number, "session_unknown", session->is_session_unknown,
		"first_ns", (json_int_t)session->first_ns, "last_ns", (json_int_t)session->last_ns,
		"calls", (json_int_t)session->calls, "tools", (json_int_t)session->tools, "errors",
		(json_int_t)session->errors, "tokens", (json_int_t)session->tokens);
}

static json_t *view_json(const struct live_view *view)
{
	json_t *sessions = json_array();
	for (size_t i = 0; i < view->count; i++) {
		if (json_array_append_new(sessions, session_json(&view->at[i])) < 0) {
			json_decref(sessions);
			return NULL;
		}
	}
	return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "now_ns", (json_int_t)clock_unix_ns(),
		"sessions", sessions, "open_sessions", (json_int_t)view->open_sessions,
		"open_turns", (json_int_t)view->open_turns, "held_events",
		(json_int_t)view->held_events, "held_bytes", (json_int_t)view->held_bytes);
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	struct live_view view;
	(void)request;
	if (!watch->synthesizer) {
		complain(complaint, "sessions are switched off (sessions.enabled)");
		return -ENOENT;
	}
	int error = synthesizer_live(watch->synthesizer, &view);
	if (error)
		return error;
	*ret_answer = view_json(&view);
	live_view_free(&view);
	return *ret_answer ? 0 : -ENOMEM;
}

static const char *const arguments[] = { NULL };

const struct view view_live = { "GET", "/v1/live", answer, arguments };
