/* Whose a request is by its Authorization header: a pure function of the header and the keys there are. */
#ifndef TG_ACCESS_AUTHORIZATION_H
#define TG_ACCESS_AUTHORIZATION_H

struct keyring;

/*
 * A gateway key as Bearer, or as the password of Basic; a project's public and secret key as Basic. The user
 * beside a gateway key may be anybody but the public key of another project.
 *
 * The project; -ENOENT: nobody's, or no such header at all; -ENOMEM.
 */
int authorization_find(const struct keyring *keys, const char *header);

#endif
