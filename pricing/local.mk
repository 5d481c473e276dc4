# The price table: installed, and built into the program as bytes.
dist_pkgdata_DATA = pricing/models.json
EXTRA_DIST += pricing/README.md

nodist_libtollgate_a_SOURCES += pricing/models.c
CLEANFILES += pricing/models.c
pricing/models.c: pricing/models.json
	$(AM_V_GEN)$(MKDIR_P) pricing && { \
		echo '/* Made from pricing/models.json. */' && \
		echo '#include "pricing/table.h"' && \
		echo 'const unsigned char prices_builtin_json[] = {' && \
		od -An -v -tx1 $(srcdir)/pricing/models.json | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' && \
		echo '};' && \
		echo 'const size_t prices_builtin_json_bytes = sizeof prices_builtin_json;'; \
	} >$@.tmp && mv $@.tmp $@

uninstall-hook:
	rmdir "$(DESTDIR)$(pkgdatadir)" 2>/dev/null || :
