# One Criterion program per module, plain programs for threads; tests/run-test makes a sanitizer's report
# a failure.
checks = tests/check-completion tests/check-expected tests/check-install tests/check-layers \
	tests/check-manual tests/check-nixos tests/check-readme tests/check-toml tests/check-unit
dist_check_SCRIPTS += tests/run-test $(checks)
TESTS += $(checks)
LOG_COMPILER = $(srcdir)/tests/run-test
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir; builddir='$(builddir)'; export builddir;
EXTRA_DIST += tests/deb tests/fixtures tests/nixos

# For every program that does not say otherwise.
LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm

fixture = tests/support/fixture.c tests/support/fixture.h
oracle = tests/support/oracle.c tests/support/oracle.h $(fixture)
langfuse_rules = tests/support/langfuse_rules.c tests/support/langfuse_rules.h \
	tests/support/langfuse_columns.c tests/support/langfuse_figures.c \
	tests/support/langfuse_row.h tests/support/langfuse_values.c
corpus = tests/support/corpus.c tests/support/corpus.h
exposition = tests/support/exposition.c tests/support/exposition.h
capture_alone = tests/support/capture.c tests/support/capture.h
capture = $(capture_alone) $(fixture)
claude_logs = tests/support/claude_logs.c tests/support/claude_logs.h
session_tree = tests/support/session_tree.c tests/support/session_tree.h
replay = tests/support/replay.c tests/support/replay.h tests/support/scratch.c \
	tests/support/scratch.h $(session_tree) $(capture_alone) $(oracle)
captured_events = tests/support/captured_events.c tests/support/captured_events.h $(capture) $(events)
content_judge = tests/support/content_judge.c tests/support/content_judge.h
events = tests/support/events.c tests/support/events.h
events_judge = tests/support/events_judge.c tests/support/events_judge.h
one_span = tests/support/one_span.c tests/support/one_span.h
enriched_span = tests/support/enriched_span.c tests/support/enriched_span.h $(one_span) $(oracle)
http_peer = tests/support/http_peer.c tests/support/http_peer.h
fake_spool = tests/support/fake_spool.c tests/support/fake_spool.h
fake_destination = tests/support/fake_destination.c tests/support/fake_destination.h
fake_langfuse = tests/support/fake_langfuse.c tests/support/fake_langfuse.h \
	tests/support/fake_langfuse_api.c tests/support/fake_langfuse_api.h \
	tests/support/otlp_tree.c tests/support/otlp_tree.h
backlog = tests/support/backlog.c tests/support/backlog.h $(fake_langfuse)
scratch = tests/support/scratch.c tests/support/scratch.h
certificates = tests/support/certificates.c tests/support/certificates.h $(scratch)
tls_client = tests/support/tls_client.c tests/support/tls_client.h
tls_peer = tests/support/tls_peer.c tests/support/tls_peer.h $(certificates)
settings_judge = tests/support/settings_judge.c tests/support/settings_judge.h
spool_fixture = tests/support/spool_fixture.c tests/support/spool_fixture.h
spool_wraps = -Wl,--wrap=fdatasync,--wrap=pwrite,--wrap=fallocate,--wrap=clock_monotonic_ms

test_programs =

# Criterion does not start under the thread sanitizer: configure leaves these out there.
if HAVE_CRITERION
check_PROGRAMS += $(test_programs)
TESTS += $(test_programs)
AM_CFLAGS += $(CRITERION_CFLAGS)
LDADD += $(CRITERION_LIBS)
endif

test_programs += tests/test_otlp
tests_test_otlp_SOURCES = tests/test_otlp.c $(oracle)
test_programs += tests/test_enrich
tests_test_enrich_SOURCES = tests/test_enrich.c $(oracle)
test_programs += tests/test_openinference
tests_test_openinference_SOURCES = tests/test_openinference.c $(enriched_span)
test_programs += tests/test_gen_ai
tests_test_gen_ai_SOURCES = tests/test_gen_ai.c $(enriched_span)
test_programs += tests/test_openllmetry
tests_test_openllmetry_SOURCES = tests/test_openllmetry.c $(enriched_span)
test_programs += tests/test_litellm
tests_test_litellm_SOURCES = tests/test_litellm.c $(enriched_span)
test_programs += tests/test_mlflow
tests_test_mlflow_SOURCES = tests/test_mlflow.c $(enriched_span)
test_programs += tests/test_cli_spans
tests_test_cli_spans_SOURCES = tests/test_cli_spans.c $(enriched_span)
test_programs += tests/test_messages
tests_test_messages_SOURCES = tests/test_messages.c $(enriched_span)
test_programs += tests/test_vercel
tests_test_vercel_SOURCES = tests/test_vercel.c $(enriched_span)
test_programs += tests/test_pydantic_ai
tests_test_pydantic_ai_SOURCES = tests/test_pydantic_ai.c $(enriched_span)
test_programs += tests/test_langfuse_sdk
tests_test_langfuse_sdk_SOURCES = tests/test_langfuse_sdk.c $(enriched_span)
test_programs += tests/test_identity
tests_test_identity_SOURCES = tests/test_identity.c $(oracle)
test_programs += tests/test_logs
tests_test_logs_SOURCES = tests/test_logs.c
test_programs += tests/test_dialects
tests_test_dialects_SOURCES = tests/test_dialects.c $(events)
test_programs += tests/test_claude_code
tests_test_claude_code_SOURCES = tests/test_claude_code.c $(captured_events)
test_programs += tests/test_codex
tests_test_codex_SOURCES = tests/test_codex.c $(captured_events)
test_programs += tests/test_gemini
tests_test_gemini_SOURCES = tests/test_gemini.c $(captured_events)
test_programs += tests/test_capture
tests_test_capture_SOURCES = tests/test_capture.c $(capture)
test_programs += tests/test_sessions
tests_test_sessions_SOURCES = tests/test_sessions.c tests/support/effort.h $(replay) $(claude_logs)
test_programs += tests/test_plan
tests_test_plan_SOURCES = tests/test_plan.c tests/support/session_events.c \
	tests/support/session_events.h $(oracle)
test_programs += tests/test_session_spans
tests_test_session_spans_SOURCES = tests/test_session_spans.c tests/support/session_events.c \
	tests/support/session_events.h $(enriched_span)
test_programs += tests/test_session_names
tests_test_session_names_SOURCES = tests/test_session_names.c
test_programs += tests/test_wrappers
tests_test_wrappers_SOURCES = tests/test_wrappers.c
test_programs += tests/test_usage
tests_test_usage_SOURCES = tests/test_usage.c $(enriched_span)
test_programs += tests/test_pipeline
tests_test_pipeline_SOURCES = tests/test_pipeline.c $(capture)
test_programs += tests/test_json
tests_test_json_SOURCES = tests/test_json.c $(oracle)
test_programs += tests/test_proto
tests_test_proto_SOURCES = tests/test_proto.c
test_programs += tests/test_reply
tests_test_reply_SOURCES = tests/test_reply.c
test_programs += tests/test_config
tests_test_config_SOURCES = tests/test_config.c
test_programs += tests/test_complaints
tests_test_complaints_SOURCES = tests/test_complaints.c
test_programs += tests/test_duration
tests_test_duration_SOURCES = tests/test_duration.c
test_programs += tests/test_cli
tests_test_cli_SOURCES = tests/test_cli.c
test_programs += tests/test_prices_cli
tests_test_prices_cli_SOURCES = tests/test_prices_cli.c
tests_test_prices_cli_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_unix_ns
tests_test_prices_cli_LDADD = tests/support/libharness.a $(LDADD)
test_programs += tests/test_supervisor
tests_test_supervisor_SOURCES = tests/test_supervisor.c
tests_test_supervisor_LDADD = tests/support/libharness.a $(LDADD)
test_programs += tests/test_hook
tests_test_hook_SOURCES = tests/test_hook.c
tests_test_hook_LDADD = tests/support/libharness.a $(LDADD)
test_programs += tests/test_codex_settings
tests_test_codex_settings_SOURCES = tests/test_codex_settings.c $(scratch)
test_programs += tests/test_send
tests_test_send_SOURCES = tests/test_send.c
test_programs += tests/test_doctor
tests_test_doctor_SOURCES = tests/test_doctor.c $(scratch)
test_programs += tests/test_doctor_hops
tests_test_doctor_hops_SOURCES = tests/test_doctor_hops.c $(fake_destination) $(oracle) $(scratch)
test_programs += tests/test_control
tests_test_control_SOURCES = tests/test_control.c $(http_peer)
tests_test_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_monotonic_ms
tests_test_control_LDADD = tests/support/libharness.a $(LDADD)
test_programs += tests/test_price
tests_test_price_SOURCES = tests/test_price.c tests/support/price_tables.h
test_programs += tests/test_price_match
tests_test_price_match_SOURCES = tests/test_price_match.c tests/support/price_tables.h
test_programs += tests/test_price_table
tests_test_price_table_SOURCES = tests/test_price_table.c tests/support/price_tables.h
test_programs += tests/test_price_overrides
tests_test_price_overrides_SOURCES = tests/test_price_overrides.c tests/support/price_tables.h \
	tests/support/scratch.c tests/support/scratch.h
test_programs += tests/test_explain
tests_test_explain_SOURCES = tests/test_explain.c tests/support/price_tables.h
test_programs += tests/test_cost
tests_test_cost_SOURCES = tests/test_cost.c $(one_span) $(oracle)
test_programs += tests/test_compression
tests_test_compression_SOURCES = tests/test_compression.c
test_programs += tests/test_langfuse_rules
tests_test_langfuse_rules_SOURCES = tests/test_langfuse_rules.c $(langfuse_rules) $(one_span) $(oracle)
test_programs += tests/test_properties
tests_test_properties_SOURCES = tests/test_properties.c tests/support/effort.h $(corpus) $(langfuse_rules) $(oracle)
test_programs += tests/test_fake_langfuse
tests_test_fake_langfuse_SOURCES = tests/test_fake_langfuse.c $(fake_langfuse) $(http_peer)
test_programs += tests/test_http_server
tests_test_http_server_SOURCES = tests/test_http_server.c $(http_peer)
test_programs += tests/test_flow
tests_test_flow_SOURCES = tests/test_flow.c
test_programs += tests/test_http_head
tests_test_http_head_SOURCES = tests/test_http_head.c $(http_peer)
test_programs += tests/test_http_stream
tests_test_http_stream_SOURCES = tests/test_http_stream.c $(http_peer)
test_programs += tests/test_http_client
tests_test_http_client_SOURCES = tests/test_http_client.c $(fake_destination) $(tls_peer)
test_programs += tests/test_certificate
tests_test_certificate_SOURCES = tests/test_certificate.c $(certificates) $(http_peer) $(tls_client)
test_programs += tests/test_upstream
tests_test_upstream_SOURCES = tests/test_upstream.c $(tls_peer)
tests_test_upstream_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_monotonic_ms
test_programs += tests/test_receive
tests_test_receive_SOURCES = tests/test_receive.c $(http_peer)
test_programs += tests/test_proxy_headers
tests_test_proxy_headers_SOURCES = tests/test_proxy_headers.c
test_programs += tests/test_proxy_target
tests_test_proxy_target_SOURCES = tests/test_proxy_target.c
test_programs += tests/test_access
tests_test_access_SOURCES = tests/test_access.c $(scratch)
test_programs += tests/test_key
tests_test_key_SOURCES = tests/test_key.c $(scratch)
test_programs += tests/test_diff
tests_test_diff_SOURCES = tests/test_diff.c
test_programs += tests/test_json_text
tests_test_json_text_SOURCES = tests/test_json_text.c
test_programs += tests/test_tools
tests_test_tools_SOURCES = tests/test_tools.c tests/support/effort.h $(settings_judge) $(scratch)
test_programs += tests/test_spool
tests_test_spool_SOURCES = tests/test_spool.c $(spool_fixture)
tests_test_spool_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
test_programs += tests/test_spool_recovery
tests_test_spool_recovery_SOURCES = tests/test_spool_recovery.c $(spool_fixture)
tests_test_spool_recovery_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
test_programs += tests/test_spool_faults
tests_test_spool_faults_SOURCES = tests/test_spool_faults.c $(spool_fixture)
tests_test_spool_faults_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
test_programs += tests/test_delivery
tests_test_delivery_SOURCES = tests/test_delivery.c
tests_test_delivery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_unix_ns
test_programs += tests/test_ledger
tests_test_ledger_SOURCES = tests/test_ledger.c $(spool_fixture)
tests_test_ledger_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps) \
	-Wl,--wrap=clock_unix_ns,--wrap=spool_reader_next_head
test_programs += tests/test_memory
tests_test_memory_SOURCES = tests/test_memory.c tests/support/scratch.c tests/support/scratch.h
tests_test_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_unix_ns
test_programs += tests/test_synthesis
tests_test_synthesis_SOURCES = tests/test_synthesis.c $(capture) \
	tests/support/scratch.c tests/support/scratch.h
test_programs += tests/test_sources
tests_test_sources_SOURCES = tests/test_sources.c $(scratch)
tests_test_sources_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_monotonic_ms
test_programs += tests/test_verdict
tests_test_verdict_SOURCES = tests/test_verdict.c
test_programs += tests/test_destinations
tests_test_destinations_SOURCES = tests/test_destinations.c
test_programs += tests/test_lane
tests_test_lane_SOURCES = tests/test_lane.c $(fake_spool)
test_programs += tests/test_lane_events
tests_test_lane_events_SOURCES = tests/test_lane_events.c $(fake_spool)
test_programs += tests/test_lanes
tests_test_lanes_SOURCES = tests/test_lanes.c $(fake_destination) $(spool_fixture)
tests_test_lanes_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
test_programs += tests/test_ingestion
tests_test_ingestion_SOURCES = tests/test_ingestion.c
test_programs += tests/test_backlog
tests_test_backlog_SOURCES = tests/test_backlog.c $(backlog)
tests_test_backlog_LDADD = tests/support/libharness.a $(LDADD)
test_programs += tests/test_shares
tests_test_shares_SOURCES = tests/test_shares.c
test_programs += tests/test_metrics
tests_test_metrics_SOURCES = tests/test_metrics.c $(exposition) $(scratch)
test_programs += tests/test_local
tests_test_local_SOURCES = tests/test_local.c $(fixture) $(spool_fixture)
tests_test_local_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
test_programs += tests/test_content
tests_test_content_SOURCES = tests/test_content.c $(content_judge) $(one_span) $(oracle)
test_programs += tests/test_exporter
tests_test_exporter_SOURCES = tests/test_exporter.c $(fake_destination) $(fake_spool)
test_programs += tests/test_terminal
tests_test_terminal_SOURCES = tests/test_terminal.c
test_programs += tests/test_books
tests_test_books_SOURCES = tests/test_books.c
test_programs += tests/test_status
tests_test_status_SOURCES = tests/test_status.c
test_programs += tests/test_pages
tests_test_pages_SOURCES = tests/test_pages.c
test_programs += tests/test_events
tests_test_events_SOURCES = tests/test_events.c $(events_judge)
test_programs += tests/test_copies
tests_test_copies_SOURCES = tests/test_copies.c $(scratch)
test_programs += tests/test_views
tests_test_views_SOURCES = tests/test_views.c $(fixture)
tests_test_views_LDADD = tests/support/libharness.a $(LDADD)

# Plain programs, for every build and for the thread sanitizer above all.
thread_programs =
check_PROGRAMS += $(thread_programs)
TESTS += $(thread_programs)
thread_programs += tests/threads/price_threads
tests_threads_price_threads_SOURCES = tests/threads/price_threads.c
thread_programs += tests/threads/tariff_threads
tests_threads_tariff_threads_SOURCES = tests/threads/tariff_threads.c
thread_programs += tests/threads/access_threads
tests_threads_access_threads_SOURCES = tests/threads/access_threads.c
thread_programs += tests/threads/counter_threads
tests_threads_counter_threads_SOURCES = tests/threads/counter_threads.c
thread_programs += tests/threads/sources_threads
tests_threads_sources_threads_SOURCES = tests/threads/sources_threads.c $(scratch)
thread_programs += tests/threads/flow_threads
tests_threads_flow_threads_SOURCES = tests/threads/flow_threads.c $(http_peer)
thread_programs += tests/threads/http_threads
tests_threads_http_threads_SOURCES = tests/threads/http_threads.c $(http_peer)
thread_programs += tests/threads/upstream_threads
tests_threads_upstream_threads_SOURCES = tests/threads/upstream_threads.c
thread_programs += tests/threads/proxy_threads
tests_threads_proxy_threads_SOURCES = tests/threads/proxy_threads.c $(fake_langfuse) $(http_peer)
tests_threads_proxy_threads_LDADD = tests/support/libharness.a $(LDADD)
thread_programs += tests/threads/certificate_threads
tests_threads_certificate_threads_SOURCES = tests/threads/certificate_threads.c \
	$(certificates) $(tls_client)
thread_programs += tests/threads/control_threads
tests_threads_control_threads_SOURCES = tests/threads/control_threads.c $(http_peer)
tests_threads_control_threads_LDADD = tests/support/libharness.a $(LDADD)
thread_programs += tests/threads/spool_threads
tests_threads_spool_threads_SOURCES = tests/threads/spool_threads.c $(spool_fixture)
tests_threads_spool_threads_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
thread_programs += tests/threads/exporter_threads
tests_threads_exporter_threads_SOURCES = tests/threads/exporter_threads.c \
	$(fake_destination) $(fake_spool)

thread_programs += tests/threads/backlog_threads
tests_threads_backlog_threads_SOURCES = tests/threads/backlog_threads.c $(backlog)
tests_threads_backlog_threads_LDADD = $(harness_ldadd)

thread_programs += tests/threads/local_threads
tests_threads_local_threads_SOURCES = tests/threads/local_threads.c $(fake_spool)
tests_threads_local_threads_LDADD = $(harness_ldadd)

thread_programs += tests/threads/synthesizer_threads
tests_threads_synthesizer_threads_SOURCES = tests/threads/synthesizer_threads.c $(claude_logs) \
	$(fixture) $(spool_fixture)
tests_threads_synthesizer_threads_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)

# A shared object for LD_PRELOAD, built as if it were a program: libtool for one file would be too much.
check_PROGRAMS += tests/faults/failing_disk.so
tests_faults_failing_disk_so_SOURCES = tests/faults/failing_disk.c
tests_faults_failing_disk_so_CPPFLAGS = $(AM_CPPFLAGS)
tests_faults_failing_disk_so_CFLAGS = -std=gnu17 -fPIC
tests_faults_failing_disk_so_LDFLAGS = -shared
tests_faults_failing_disk_so_LDADD = -ldl

# A Langfuse for real clients: tests/interop/run BUILD_DIR.
EXTRA_DIST += tests/interop/run tests/interop/client.mjs tests/interop/compare.mjs \
	tests/interop/javascript-3 tests/interop/javascript-5 tests/interop/python
check_PROGRAMS += tests/interop/stand_in
tests_interop_stand_in_SOURCES = tests/interop/stand_in.c $(fake_langfuse)
tests_interop_stand_in_LDADD = $(harness_ldadd)
