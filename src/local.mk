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

libtollgate_a_SOURCES += \
	src/base/json_skim.c src/base/json_skim.h \
	src/otlp/wire.c src/otlp/wire.h \
	src/otlp/value.c src/otlp/value.h \
	src/otlp/span.c src/otlp/span.h \
	src/otlp/splice.c src/otlp/splice.h \
	src/otlp/writer.c src/otlp/writer.h \
	src/otlp/request.c src/otlp/request.h \
	src/vocabularies/vocabularies.c src/vocabularies/vocabulary.h \
	src/vocabularies/openinference.c \
	src/vocabularies/langfuse.c \
	src/vocabularies/claude_code.c \
	src/vocabularies/gen_ai.c \
	src/vocabularies/logfire.c \
	src/enrich/enrich.c src/enrich/enrich.h \
	src/enrich/subject.c src/enrich/subject.h \
	src/enrich/conventions.c \
	src/enrich/identity.c \
	src/enrich/usage.c \
	src/enrich/cost.c \
	src/enrich/content.c \
	src/enrich/messages.c \
	src/enrich/langfuse_repair.c \
	src/pipeline.c src/pipeline.h

libtollgate_a_SOURCES += \
	src/pricing/calendar.c src/pricing/calendar.h \
	src/pricing/fields.c src/pricing/fields.h \
	src/pricing/match.c src/pricing/match.h \
	src/pricing/memo.c src/pricing/memo.h \
	src/pricing/money.c \
	src/pricing/pattern.c src/pricing/pattern.h \
	src/pricing/price.c src/pricing/price.h \
	src/pricing/rates.c src/pricing/rates.h \
	src/pricing/table.c src/pricing/table.h

libtollgate_a_SOURCES += src/daemon.c src/daemon.h \
	src/cli/answer.c src/cli/answer.h \
	src/cli/commands.c src/cli/commands.h \
	src/cli/help.c \
	src/cli/recording.c src/cli/recording.h \
	src/cli/send.c \
	src/cli/serve.c \
	src/cli/version.c

dist_man_MANS = man/tollgate.1
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = completion/tollgate.bash
