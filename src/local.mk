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
	src/base/nearest.c src/base/nearest.h \
	src/config/checks.c src/config/checks.h \
	src/config/config.c \
	src/config/environment.c src/config/environment.h \
	src/config/json_file.c \
	src/config/loader.h \
	src/config/print.c \
	src/config/settings.c src/config/settings.h \
	src/config/values.c src/config/values.h
