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
	src/spool/block.c src/spool/block.h \
	src/spool/crc32c.c src/spool/crc32c.h \
	src/spool/frame.c src/spool/frame.h \
	src/spool/log.h \
	src/spool/reader.c \
	src/spool/recover.c \
	src/spool/segment.c src/spool/segment.h \
	src/spool/space.c \
	src/spool/spool.c src/spool/spool.h \
	src/spool/walk.c src/spool/walk.h \
	src/spool/writer.c

libtollgate_a_SOURCES += \
	src/spool/deliveries.h \
	src/spool/delivery.c src/spool/delivery.h \
	src/spool/delivery_file.c
