# The OTLP schema, in our own files; protoc-c makes the C of it at build time.
PROTO_FILES =
proto_generated =
nodist_libtollgate_a_SOURCES = $(proto_generated)
BUILT_SOURCES += $(proto_generated)
CLEANFILES += $(proto_generated)
EXTRA_DIST += $(PROTO_FILES)
