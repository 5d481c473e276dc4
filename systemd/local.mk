# What a service manager needs: units, and the group whose members may ask the daemon.
EXTRA_DIST += systemd/tollgate.service.in
if SYSTEMD
dist_systemdsystemunit_DATA = systemd/tollgate.socket
nodist_systemdsystemunit_DATA = systemd/tollgate.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = systemd/sysusers.d/tollgate.conf
endif

check_DATA = systemd/tollgate.service
CLEANFILES += systemd/tollgate.service
systemd/tollgate.service: systemd/tollgate.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
		sed 's|@bindir[@]|$(bindir)|' $(srcdir)/systemd/tollgate.service.in >$@.tmp && mv $@.tmp $@
