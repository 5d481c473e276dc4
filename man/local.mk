# The manual: texts that are built into the program, which prints with them, and with its own tables, the manual
# pages and the completion (tollgate manual).
MANUAL_TEXTS = man/tollgate.1.text man/tollgate.json.5.text man/tollgate.bash.text
EXTRA_DIST += $(MANUAL_TEXTS)
nodist_libtollgate_a_SOURCES += man/texts.c
CLEANFILES += man/texts.c
man/texts.c: $(MANUAL_TEXTS)
	$(AM_V_GEN)$(MKDIR_P) man && { \
		echo '/* Made from man/. */' && \
		echo '#include "cli/manual.h"' && \
		for text in $(MANUAL_TEXTS); do \
			name=`echo "$$text" | sed 's,^man/,,; s,\.text$$,,; s,\.,_,g'` && \
			echo "const char text_$$name[] =" && \
			sed 's/\\/&&/g; s/"/\\"/g; s/.*/"&\\n"/' $(srcdir)/$$text && \
			echo ';' || exit 1; \
		done; \
	} >$@.tmp && mv $@.tmp $@

manual_pages = man/tollgate.1 man/tollgate.json.5
completiondir = $(datadir)/bash-completion/completions
CLEANFILES += $(manual_pages) man/tollgate.bash
$(manual_pages) man/tollgate.bash: tollgate$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && ./tollgate$(EXEEXT) manual $(@F) >$@.tmp && mv $@.tmp $@

# Writes the tables of the README; tests/check-readme says when that is to be done.
readme: tollgate$(EXEEXT)
	srcdir='$(srcdir)' builddir='$(builddir)' $(srcdir)/tests/check-readme --write
.PHONY: readme

# A program for another machine cannot print them here: there "tollgate manual" does it.
if !CROSS_COMPILING
nodist_man_MANS = $(manual_pages)
nodist_completion_DATA = man/tollgate.bash
endif
