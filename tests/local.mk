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

test_cflags = $(AM_CFLAGS) $(CRITERION_CFLAGS)
test_ldadd = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) $(CRITERION_LIBS) -lm

test_programs += tests/test_compression
tests_test_compression_SOURCES = tests/test_compression.c
tests_test_compression_CFLAGS = $(test_cflags)
tests_test_compression_LDADD = $(test_ldadd)

test_programs += tests/test_http_server
tests_test_http_server_SOURCES = tests/test_http_server.c tests/http_peer.c tests/http_peer.h
tests_test_http_server_CFLAGS = $(test_cflags)
tests_test_http_server_LDADD = $(test_ldadd)

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
