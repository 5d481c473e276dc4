# One convenience library that the daemon, every test and every fuzzer link.
noinst_LIBRARIES += libtollgate.a
libtollgate_a_SOURCES = \
	src/base/arena.c src/base/arena.h \
	src/base/buf.c src/base/buf.h \
	src/base/bytes.h \
	src/base/clock.c src/base/clock.h \
	src/base/complaint.c src/base/complaint.h \
	src/base/counters.c src/base/counters.h \
	src/base/files.c src/base/files.h \
	src/base/log.c src/base/log.h \
	src/batch.h \
	src/config/config.h
libtollgate_a_LIBADD =

bin_PROGRAMS += tollgate
tollgate_SOURCES = src/main.c
tollgate_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm

libtollgate_a_SOURCES += \
	src/http/compression.c src/http/compression.h \
	src/http/gzip_engine.h src/http/gzip_isal.c src/http/gzip_zlib.c

libtollgate_a_SOURCES += \
	src/http/listen.c src/http/listen.h \
	src/http/request.c src/http/request.h \
	src/http/server.c src/http/server.h

libtollgate_a_SOURCES += \
	src/otlp/reply.c src/otlp/reply.h \
	src/receive/otlp.c src/receive/otlp.h
