# The OTLP schema, in our own files; protoc-c makes the C of it at build time.
PROTO_FILES = \
	proto/otlp_common.proto \
	proto/otlp_trace.proto \
	proto/otlp_logs.proto \
	proto/otlp_metrics.proto \
	proto/rpc_status.proto
proto_generated = $(PROTO_FILES:.proto=.pb-c.c) $(PROTO_FILES:.proto=.pb-c.h)
nodist_libtollgate_a_SOURCES += $(proto_generated)
BUILT_SOURCES += $(proto_generated)
CLEANFILES += $(proto_generated)
EXTRA_DIST += $(PROTO_FILES)

SUFFIXES = .proto .pb-c.c .pb-c.h
.proto.pb-c.c:
	$(AM_V_GEN)$(MKDIR_P) proto && $(PROTOC_C) --proto_path=$(srcdir)/proto --c_out=proto $<
# One run makes both files; this only tells make so, and mends a header that was deleted.
.pb-c.c.pb-c.h:
	@test -f $@ || { rm -f $< && $(MAKE) $(AM_MAKEFLAGS) $<; }
