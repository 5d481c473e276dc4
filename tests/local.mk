# One Criterion program per module; tests/run-test makes a sanitizer's report a failure.
dist_check_SCRIPTS += tests/run-test tests/check-layers
LOG_COMPILER = $(srcdir)/tests/run-test
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir; builddir='$(builddir)'; export builddir;
EXTRA_DIST += tests/fixtures

test_programs =
TESTS += tests/check-layers
if HAVE_CRITERION
check_PROGRAMS += $(test_programs)
TESTS += $(test_programs)
endif

# For every program that says nothing else.
LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) $(CRITERION_LIBS) -lm
fixture = tests/support/fixture.c tests/support/fixture.h
oracle = tests/support/oracle.c tests/support/oracle.h $(fixture)

test_cflags = $(AM_CFLAGS) $(CRITERION_CFLAGS)
test_ldadd = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) $(CRITERION_LIBS) -lm

test_programs += tests/test_config
tests_test_config_SOURCES = tests/test_config.c
tests_test_config_CFLAGS = $(test_cflags)
tests_test_config_LDADD = $(test_ldadd)

test_programs += tests/test_complaints
tests_test_complaints_SOURCES = tests/test_complaints.c
tests_test_complaints_CFLAGS = $(test_cflags)
tests_test_complaints_LDADD = $(test_ldadd)
test_programs += tests/test_proto
tests_test_proto_SOURCES = tests/test_proto.c
tests_test_proto_CFLAGS = $(test_cflags)
tests_test_proto_LDADD = $(test_ldadd)

test_programs += tests/test_enrich
tests_test_enrich_SOURCES = tests/test_enrich.c \
	tests/support/oracle.c tests/support/oracle.h tests/support/fixture.c tests/support/fixture.h
tests_test_enrich_CFLAGS = $(test_cflags)
tests_test_enrich_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_enrich_LDADD = $(test_ldadd)

test_programs += tests/test_otlp
tests_test_otlp_SOURCES = tests/test_otlp.c \
	tests/support/oracle.c tests/support/oracle.h tests/support/fixture.c tests/support/fixture.h
tests_test_otlp_CFLAGS = $(test_cflags)
tests_test_otlp_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_otlp_LDADD = $(test_ldadd)
test_programs += tests/test_price tests/test_price_match tests/test_price_table
tests_test_price_SOURCES = tests/test_price.c tests/price_tables.h
tests_test_price_CFLAGS = $(test_cflags)
tests_test_price_LDADD = $(test_ldadd)
tests_test_price_match_SOURCES = tests/test_price_match.c tests/price_tables.h
tests_test_price_match_CFLAGS = $(test_cflags)
tests_test_price_match_LDADD = $(test_ldadd)
tests_test_price_table_SOURCES = tests/test_price_table.c tests/price_tables.h
tests_test_price_table_CFLAGS = $(test_cflags)
tests_test_price_table_LDADD = $(test_ldadd)

# A plain program: it also runs under the thread sanitizer, where Criterion does not start.
check_PROGRAMS += tests/threads/price_threads
TESTS += tests/threads/price_threads
tests_threads_price_threads_SOURCES = tests/threads/price_threads.c
tests_threads_price_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
test_programs += tests/test_compression
tests_test_compression_SOURCES = tests/test_compression.c
tests_test_compression_CFLAGS = $(test_cflags)
tests_test_compression_LDADD = $(test_ldadd)

test_programs += tests/test_http_server
tests_test_http_server_SOURCES = tests/test_http_server.c tests/http_peer.c tests/http_peer.h
tests_test_http_server_CFLAGS = $(test_cflags)
tests_test_http_server_LDADD = $(test_ldadd)
test_programs += tests/test_send
tests_test_send_SOURCES = tests/test_send.c
tests_test_send_CFLAGS = $(test_cflags)
tests_test_send_LDADD = $(test_ldadd)
test_programs += tests/test_verdict
tests_test_verdict_SOURCES = tests/test_verdict.c
tests_test_verdict_CFLAGS = $(test_cflags)
tests_test_verdict_LDADD = $(test_ldadd)

test_programs += tests/test_destinations
tests_test_destinations_SOURCES = tests/test_destinations.c
tests_test_destinations_CFLAGS = $(test_cflags)
tests_test_destinations_LDADD = $(test_ldadd)

test_programs += tests/test_lane
tests_test_lane_SOURCES = tests/test_lane.c tests/support/fake_spool.c tests/support/fake_spool.h
tests_test_lane_CFLAGS = $(test_cflags)
tests_test_lane_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_lane_LDADD = $(test_ldadd)

test_programs += tests/test_exporter
tests_test_exporter_SOURCES = tests/test_exporter.c \
	tests/support/fake_destination.c tests/support/fake_destination.h \
	tests/support/fake_spool.c tests/support/fake_spool.h
tests_test_exporter_CFLAGS = $(test_cflags) -D_GNU_SOURCE
tests_test_exporter_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_exporter_LDADD = $(test_ldadd)

check_PROGRAMS += tests/threads/exporter_threads
TESTS += tests/threads/exporter_threads
tests_threads_exporter_threads_SOURCES = tests/threads/exporter_threads.c \
	tests/support/fake_destination.c tests/support/fake_destination.h \
	tests/support/fake_spool.c tests/support/fake_spool.h
tests_threads_exporter_threads_CFLAGS = $(AM_CFLAGS) -D_GNU_SOURCE
tests_threads_exporter_threads_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_threads_exporter_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
test_programs += tests/test_cli
tests_test_cli_SOURCES = tests/test_cli.c
tests_test_cli_CFLAGS = $(test_cflags)
tests_test_cli_LDADD = $(test_ldadd)

# Needs the program itself, which check builds first.
dist_check_SCRIPTS += tests/check-manual
TESTS += tests/check-manual
spool_wraps = -Wl,--wrap=fdatasync,--wrap=pwrite,--wrap=fallocate,--wrap=clock_monotonic_ms
spool_fixture = tests/spool_fixture.c tests/spool_fixture.h tests/gzip_stand_in.c
test_programs += tests/test_spool
tests_test_spool_SOURCES = tests/test_spool.c $(spool_fixture)
tests_test_spool_CFLAGS = $(test_cflags)
tests_test_spool_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_LDADD = $(test_ldadd)
test_programs += tests/test_spool_recovery
tests_test_spool_recovery_SOURCES = tests/test_spool_recovery.c $(spool_fixture)
tests_test_spool_recovery_CFLAGS = $(test_cflags)
tests_test_spool_recovery_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_recovery_LDADD = $(test_ldadd)
test_programs += tests/test_spool_faults
tests_test_spool_faults_SOURCES = tests/test_spool_faults.c $(spool_fixture)
tests_test_spool_faults_CFLAGS = $(test_cflags)
tests_test_spool_faults_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_faults_LDADD = $(test_ldadd)

test_programs += tests/test_reply
tests_test_reply_SOURCES = tests/test_reply.c
tests_test_reply_CFLAGS = $(test_cflags)
tests_test_reply_LDADD = $(test_ldadd)

test_programs += tests/test_receive
tests_test_receive_SOURCES = tests/test_receive.c tests/http_peer.c tests/http_peer.h
tests_test_receive_CFLAGS = $(test_cflags)
tests_test_receive_LDADD = $(test_ldadd)

# A plain program: it also runs under the thread sanitizer, where Criterion does not start.
check_PROGRAMS += tests/threads/http_threads
TESTS += tests/threads/http_threads
tests_threads_http_threads_SOURCES = tests/threads/http_threads.c tests/http_peer.c tests/http_peer.h
tests_threads_http_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
test_programs += tests/test_delivery
tests_test_delivery_SOURCES = tests/test_delivery.c
tests_test_delivery_CFLAGS = $(test_cflags)
tests_test_delivery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_unix_ns
tests_test_delivery_LDADD = $(test_ldadd)

test_programs += tests/test_http_client
tests_test_http_client_SOURCES = tests/test_http_client.c \
	tests/support/fake_destination.c tests/support/fake_destination.h
tests_test_http_client_CFLAGS = $(test_cflags) -D_GNU_SOURCE
tests_test_http_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_http_client_LDADD = $(test_ldadd)

test_programs += tests/test_pipeline
tests_test_pipeline_SOURCES = tests/test_pipeline.c $(fixture)
tests_test_pipeline_CFLAGS = $(test_cflags)
# Plain programs: Criterion does not start under ThreadSanitizer, so that build runs these alone.
thread_programs = tests/threads/spool_threads
tests_threads_spool_threads_SOURCES = tests/threads/spool_threads.c $(spool_fixture)
tests_threads_spool_threads_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_threads_spool_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
check_PROGRAMS += $(thread_programs)
TESTS += $(thread_programs)
