/* Certificates in files that live as long as a test. */
#ifndef TG_TESTS_SUPPORT_CERTIFICATES_H
#define TG_TESTS_SUPPORT_CERTIFICATES_H

#include "support/scratch.h"

enum { CERTIFICATE_PATH_MAX = SCRATCH_PATH_MAX + 32 };

struct certificate_files {
	char directory[SCRATCH_PATH_MAX];
	char ca_file[CERTIFICATE_PATH_MAX];          /* whom a client trusts */
	char certificate_file[CERTIFICATE_PATH_MAX]; /* the server's, and the one between */
	char key_file[CERTIFICATE_PATH_MAX];
};

/*
 * Makes an authority, one that it vouches for, and a server's certificate of that one.
 *
 *   name    of the server's, which is for 127.0.0.1 and localhost; with a dot in it, for that name alone
 *   ends_s  from now
 */
void certificate_make(struct certificate_files *ret_files, const char *name, long ends_s);

/* Everything anew in the same files, the authority too. */
void certificate_renew(struct certificate_files *files, const char *name, long ends_s);

void certificate_remove(const struct certificate_files *files);

#endif
