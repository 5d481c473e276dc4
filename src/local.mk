# One convenience library that the daemon, every test and every fuzzer link; in the order of the layers.
noinst_LIBRARIES += libtollgate.a
libtollgate_a_SOURCES = \
	src/base/arena.c src/base/arena.h \
	src/base/base64.c src/base/base64.h \
	src/base/buf.c src/base/buf.h \
	src/base/bytes.h \
	src/base/clock.c src/base/clock.h \
	src/base/complaint.c src/base/complaint.h \
	src/base/counters.c src/base/counters.h \
	src/base/duration.c src/base/duration.h \
	src/base/files.c src/base/files.h \
	src/base/json_line.c src/base/json_line.h \
	src/base/json_skim.c src/base/json_skim.h \
	src/base/lines.h \
	src/base/log.c src/base/log.h \
	src/base/names.c src/base/names.h \
	src/base/nearest.c src/base/nearest.h \
	src/base/sqlite.c src/base/sqlite.h \
	src/base/supervisor.c src/base/supervisor.h \
	src/base/utf8.c src/base/utf8.h \
	src/config/checks.c src/config/checks.h \
	src/config/config.c src/config/config.h \
	src/config/environment.c src/config/environment.h \
	src/config/json_file.c \
	src/config/key_files.c src/config/key_files.h \
	src/config/loader.h \
	src/config/objects.c src/config/objects.h \
	src/config/print.c \
	src/config/settings.c src/config/settings.h \
	src/config/show.c src/config/show.h \
	src/config/values.c src/config/values.h \
	src/otlp/check.c src/otlp/check.h \
	src/otlp/json.c src/otlp/json.h \
	src/otlp/json_scalar.c src/otlp/json_scalar.h \
	src/otlp/json_schema.c src/otlp/json_schema.h \
	src/otlp/logs.c src/otlp/logs.h \
	src/otlp/reply.c src/otlp/reply.h \
	src/otlp/request.c src/otlp/request.h \
	src/otlp/signal.h \
	src/otlp/span.c src/otlp/span.h \
	src/otlp/splice.c src/otlp/splice.h \
	src/otlp/value.c src/otlp/value.h \
	src/otlp/wire.c src/otlp/wire.h \
	src/otlp/writer.c src/otlp/writer.h \
	src/http/certificate.c src/http/certificate.h \
	src/http/client.c src/http/client.h \
	src/http/codecs.h \
	src/http/compression.c src/http/compression.h \
	src/http/curl.c src/http/curl.h \
	src/http/flow.c src/http/flow.h \
	src/http/gzip_isal.c \
	src/http/gzip_zlib.c \
	src/http/head.c src/http/head.h \
	src/http/listen.c src/http/listen.h \
	src/http/question.c \
	src/http/request.c src/http/request.h \
	src/http/server.c src/http/server.h \
	src/http/stream.c \
	src/http/tls.h \
	src/http/unix_socket.c src/http/unix_socket.h \
	src/http/upstream.c src/http/upstream.h \
	src/http/zstd.c \
	src/batch.h \
	src/event.h \
	src/dialects/claude_code.c src/dialects/claude_code.h \
	src/dialects/claude_code_hooks.c \
	src/dialects/claude_code_spans.c \
	src/dialects/codex.c \
	src/dialects/dialect.h \
	src/dialects/dialects.c \
	src/dialects/gemini.c \
	src/dialects/saying.c src/dialects/saying.h \
	src/vocabularies/adk.c \
	src/vocabularies/claude_code.c \
	src/vocabularies/codex.c \
	src/vocabularies/content_names.c src/vocabularies/content_names.h \
	src/vocabularies/counting.c src/vocabularies/counting.h \
	src/vocabularies/flattened.c src/vocabularies/flattened.h \
	src/vocabularies/gemini_cli.c \
	src/vocabularies/gen_ai.c \
	src/vocabularies/langfuse.c \
	src/vocabularies/langfuse_metadata.c \
	src/vocabularies/litellm.c \
	src/vocabularies/logfire.c \
	src/vocabularies/mcp.c \
	src/vocabularies/mlflow.c \
	src/vocabularies/openinference.c \
	src/vocabularies/openllmetry.c \
	src/vocabularies/opentelemetry.c \
	src/vocabularies/pydantic_ai.c \
	src/vocabularies/reading.c src/vocabularies/reading.h \
	src/vocabularies/tollgate.c \
	src/vocabularies/vercel.c \
	src/vocabularies/vocabularies.c \
	src/vocabularies/vocabulary.h \
	src/pricing/calendar.c src/pricing/calendar.h \
	src/pricing/decision.c src/pricing/decision.h \
	src/pricing/explain.c src/pricing/explain.h \
	src/pricing/fields.c src/pricing/fields.h \
	src/pricing/hours.c src/pricing/hours.h \
	src/pricing/match.c src/pricing/match.h \
	src/pricing/memo.c src/pricing/memo.h \
	src/pricing/money.c \
	src/pricing/overrides.c src/pricing/overrides.h \
	src/pricing/pattern.c src/pricing/pattern.h \
	src/pricing/price.c src/pricing/price.h \
	src/pricing/rates.c src/pricing/rates.h \
	src/pricing/record.c src/pricing/record.h \
	src/pricing/surcharges.c src/pricing/surcharges.h \
	src/pricing/table.c src/pricing/table.h \
	src/pricing/tariff.c src/pricing/tariff.h \
	src/sources.c src/sources.h \
	src/synthesize/agents.c \
	src/synthesize/drafts.c \
	src/synthesize/held.c \
	src/synthesize/ids.c src/synthesize/ids.h \
	src/synthesize/links.c \
	src/synthesize/live.c src/synthesize/live.h \
	src/synthesize/lookup.c src/synthesize/lookup.h \
	src/synthesize/memory.c src/synthesize/memory.h \
	src/synthesize/names.c src/synthesize/names.h \
	src/synthesize/outcomes.c \
	src/synthesize/parcel.c src/synthesize/parcel.h \
	src/synthesize/plan.c src/synthesize/plan.h \
	src/synthesize/planning.h \
	src/synthesize/round.c src/synthesize/round.h \
	src/synthesize/session.c src/synthesize/session.h \
	src/synthesize/span.c src/synthesize/span.h \
	src/synthesize/starters.c \
	src/synthesize/synthesis.c src/synthesize/synthesis.h \
	src/synthesize/timing.c src/synthesize/timing.h \
	src/synthesize/tree.c \
	src/synthesize/turns.c \
	src/synthesize/units.c \
	src/synthesize/usd.c src/synthesize/usd.h \
	src/enrich/content.c src/enrich/content.h \
	src/enrich/conventions.c \
	src/enrich/cost.c \
	src/enrich/enrich.c src/enrich/enrich.h \
	src/enrich/identity.c src/enrich/identity.h \
	src/enrich/langfuse_repair.c \
	src/enrich/messages.c \
	src/enrich/roots.c src/enrich/roots.h \
	src/enrich/subject.c src/enrich/subject.h \
	src/enrich/usage.c \
	src/enrich/wrappers.c src/enrich/wrappers.h \
	src/spool/block.c src/spool/block.h \
	src/spool/crc32c.c src/spool/crc32c.h \
	src/spool/dead_letter.c src/spool/dead_letter.h \
	src/spool/deliveries.h \
	src/spool/delivery.c src/spool/delivery.h \
	src/spool/delivery_file.c \
	src/spool/frame.c src/spool/frame.h \
	src/spool/ledger.c src/spool/ledger.h \
	src/spool/log.h \
	src/spool/reader.c \
	src/spool/recover.c \
	src/spool/segment.c src/spool/segment.h \
	src/spool/space.c \
	src/spool/spool.c src/spool/spool.h \
	src/spool/walk.c src/spool/walk.h \
	src/spool/writer.c \
	src/export/content.c src/export/content.h \
	src/export/destination.h \
	src/export/destinations.c \
	src/export/errands.c src/export/errands.h \
	src/export/exporter.c src/export/exporter.h \
	src/export/exporters.c src/export/exporters.h \
	src/export/ingestion.c src/export/ingestion.h \
	src/export/intake.c src/export/intake.h \
	src/export/job.c src/export/job.h \
	src/export/lane.c src/export/lane.h \
	src/export/lanes.c src/export/lanes.h \
	src/export/langfuse.c \
	src/export/local.c src/export/local.h \
	src/export/local_file.c src/export/local_file.h \
	src/export/local_row.c src/export/local_row.h \
	src/export/otlp.c \
	src/export/own_door.c \
	src/export/shares.c src/export/shares.h \
	src/export/verdict.c src/export/verdict.h \
	src/pipeline.c src/pipeline.h \
	src/synthesizer.c src/synthesizer.h \
	src/access/access.c src/access/access.h \
	src/access/authorization.c src/access/authorization.h \
	src/access/browser.c src/access/browser.h \
	src/access/keys.c src/access/keys.h \
	src/receive/hooks.c src/receive/hooks.h \
	src/receive/otlp.c src/receive/otlp.h \
	src/receive/refusal.c src/receive/refusal.h \
	src/proxy/copies.c src/proxy/copies.h \
	src/proxy/errors.c src/proxy/errors.h \
	src/proxy/events.c src/proxy/events.h \
	src/proxy/headers.c src/proxy/headers.h \
	src/proxy/post.c src/proxy/post.h \
	src/proxy/proxy.c src/proxy/proxy.h \
	src/proxy/relay.c src/proxy/relay.h \
	src/proxy/stream.c src/proxy/stream.h \
	src/proxy/target.c src/proxy/target.h \
	src/watch/balance.c src/watch/balance.h \
	src/watch/control.c src/watch/control.h \
	src/watch/doors.c src/watch/doors.h \
	src/watch/local_query.c src/watch/local_query.h \
	src/watch/local_questions.h \
	src/watch/local_sums.c src/watch/local_sums.h \
	src/watch/metrics.c src/watch/metrics.h \
	src/watch/view_cost.c \
	src/watch/view_dead.c \
	src/watch/view_live.c \
	src/watch/view_prices.c \
	src/watch/view_sessions.c \
	src/watch/view_sources.c \
	src/watch/view_spans.c \
	src/watch/view_spool.c \
	src/watch/view_status.c \
	src/watch/view_verify.c \
	src/watch/views.c src/watch/watch.h \
	src/startup.c src/startup.h \
	src/daemon.c src/daemon.h \
	src/findings.c src/findings.h \
	src/tools/claude_code.c \
	src/tools/claude_code_inspect.c \
	src/tools/codex.c \
	src/tools/gemini.c \
	src/tools/gemini_inspect.c \
	src/tools/inspection.c src/tools/inspection.h \
	src/tools/json_settings.c src/tools/json_settings.h \
	src/tools/json_text.c src/tools/json_text.h \
	src/tools/langfuse_sdk.c \
	src/tools/settings_trees.c src/tools/settings_trees.h \
	src/tools/toml.c src/tools/toml.h \
	src/tools/toml_text.c src/tools/toml_text.h \
	src/tools/tool.h \
	src/tools/tools.c \
	src/doctor/checks.c \
	src/doctor/configuration.c \
	src/doctor/destinations.c src/doctor/destinations.h \
	src/doctor/diagnosis.c \
	src/doctor/disk.c \
	src/doctor/doctor.h \
	src/doctor/doors.c \
	src/doctor/keys.c \
	src/doctor/place.c src/doctor/place.h \
	src/doctor/port.c src/doctor/port.h \
	src/doctor/prices.c \
	src/doctor/probe.c src/doctor/probe.h \
	src/doctor/region.c \
	src/doctor/tools.c \
	src/cli/answer.c src/cli/answer.h \
	src/cli/commands.c src/cli/commands.h \
	src/cli/config.c \
	src/cli/control.c src/cli/control.h \
	src/cli/control_socket.c src/cli/control_socket.h \
	src/cli/cost.c src/cli/cost.h \
	src/cli/dead.c src/cli/dead.h \
	src/cli/dead_print.c \
	src/cli/diff.c src/cli/diff.h \
	src/cli/doctor.c \
	src/cli/doctor_print.c src/cli/doctor_print.h \
	src/cli/env.c \
	src/cli/figures.c src/cli/figures.h \
	src/cli/gateway.c src/cli/gateway.h \
	src/cli/glance.c src/cli/glance.h \
	src/cli/help.c \
	src/cli/hook.c \
	src/cli/kept_hooks.c src/cli/kept_hooks.h \
	src/cli/key.c \
	src/cli/manual.c src/cli/manual.h \
	src/cli/manual_bash.c \
	src/cli/manual_markdown.c \
	src/cli/manual_roff.c \
	src/cli/own_state.c src/cli/own_state.h \
	src/cli/page.c src/cli/page.h \
	src/cli/prices.c src/cli/prices.h \
	src/cli/prices_explain.c \
	src/cli/prices_explain_print.c \
	src/cli/prices_list.c \
	src/cli/prose.c src/cli/prose.h \
	src/cli/recording.c src/cli/recording.h \
	src/cli/send.c \
	src/cli/serve.c \
	src/cli/sessions.c src/cli/sessions.h \
	src/cli/setup.c \
	src/cli/setup_edit.c src/cli/setup_edit.h \
	src/cli/setup_record.c src/cli/setup_record.h \
	src/cli/setup_wait.c src/cli/setup_wait.h \
	src/cli/show.c src/cli/show.h \
	src/cli/show_print.c \
	src/cli/spool.c src/cli/spool.h \
	src/cli/status.c src/cli/status.h \
	src/cli/status_print.c \
	src/cli/table.c src/cli/table.h \
	src/cli/terminal.c src/cli/terminal.h \
	src/cli/tokens.c src/cli/tokens.h \
	src/cli/tree.c src/cli/tree.h \
	src/cli/verify.c src/cli/verify.h \
	src/cli/version.c

EXTRA_DIST += src/export/local_schema.sql
nodist_libtollgate_a_SOURCES = src/export/local_schema.c
CLEANFILES += src/export/local_schema.c
src/export/local_schema.c: src/export/local_schema.sql
	$(AM_V_GEN)$(MKDIR_P) src/export && { \
		echo '/* Made from src/export/local_schema.sql. */' && \
		echo '#include "export/local_file.h"' && \
		echo 'const char local_schema[] =' && \
		sed 's/\\/&&/g; s/"/\\"/g; s/.*/"&\\n"/' $(srcdir)/src/export/local_schema.sql && \
		echo ';'; \
	} >$@.tmp && mv $@.tmp $@

bin_PROGRAMS += tollgate
tollgate_SOURCES = src/main.c
tollgate_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
