#include "support/certificates.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One who can vouch for others, or a server. */
struct holder {
	X509 *certificate;
	EVP_PKEY *key;
};

static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/*   by  who vouches for it; NULL: itself */
static struct holder issue(const char *name, long ends_s, const struct holder *by, bool is_server)
{
	struct holder holder = { X509_new(), EVP_EC_gen("P-256") };
	if (!by)
		by = &holder;
	X509_set_version(holder.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(holder.certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(holder.certificate), -7200);
	X509_gmtime_adj(X509_getm_notAfter(holder.certificate), ends_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(holder.certificate), "CN", MBSTRING_ASC,
		(const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(holder.certificate, X509_get_subject_name(by->certificate));
	X509_set_pubkey(holder.certificate, holder.key);
	char own[80];
	snprintf(own, sizeof own, "DNS:%s", name);
	if (is_server)
		extend(holder.certificate, NID_subject_alt_name,
			strchr(name, '.') ? own : "IP:127.0.0.1,DNS:localhost");
	else
		extend(holder.certificate, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(holder.certificate, by->key, EVP_sha256());
	return holder;
}

static void forget(struct holder *holder)
{
	X509_free(holder->certificate);
	EVP_PKEY_free(holder->key);
}

static FILE *create(char path[CERTIFICATE_PATH_MAX], const char *directory, const char *name)
{
	snprintf(path, CERTIFICATE_PATH_MAX, "%s/%s", directory, name);
	return fdopen(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600), "w");
}

void certificate_renew(struct certificate_files *files, const char *name, long ends_s)
{
	struct holder root = issue("root", 86400, NULL, false),
		      between = issue("between", 86400, &root, false),
		      server = issue(name, ends_s, &between, true);
	FILE *file = create(files->ca_file, files->directory, "ca.pem");
	PEM_write_X509(file, root.certificate);
	fclose(file);
	file = create(files->certificate_file, files->directory, "certificate.pem");
	PEM_write_X509(file, server.certificate);
	PEM_write_X509(file, between.certificate);
	fclose(file);
	file = create(files->key_file, files->directory, "key.pem");
	PEM_write_PrivateKey(file, server.key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	forget(&server);
	forget(&between);
	forget(&root);
}

void certificate_make(struct certificate_files *files, const char *name, long ends_s)
{
	if (scratch_make(files->directory) < 0)
		abort();
	certificate_renew(files, name, ends_s);
}

void certificate_remove(const struct certificate_files *files)
{
	scratch_remove(files->directory);
}
