#include "http/certificate.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/log.h"
#include "http/tls.h"

enum { FILE_MAX_BYTES = 1 << 20, CHAIN_MAX = 16, KEY_ID_BYTES = 32 };

/* What both files held when they were read; lives as long as it or a connection that shows it. */
struct http_identity {
	atomic_uint holders;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_len;
	gnutls_privkey_t key;
	int64_t ends_s;
};

struct http_certificate {
	char *certificate_file, *key_file;
	pthread_mutex_t lock;
	struct http_identity *identity; /* guarded by lock */
};

void http_identity_release(struct http_identity *identity)
{
	if (!identity || atomic_fetch_sub(&identity->holders, 1) > 1)
		return;
	for (unsigned i = 0; i < identity->chain_len; i++)
		gnutls_pcert_deinit(&identity->chain[i]);
	gnutls_privkey_deinit(identity->key);
	free(identity);
}

/* ---- reading ---- */

/* 0, or an error of GnuTLS. */
static int take_chain(struct http_identity *identity, const gnutls_datum_t *pem)
{
	gnutls_x509_crt_t chain[CHAIN_MAX];
	unsigned len = CHAIN_MAX;
	int error = gnutls_x509_crt_list_import(
		chain, &len, pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (error < 0)
		return error;
	identity->ends_s = gnutls_x509_crt_get_expiration_time(chain[0]);
	unsigned taken = len;
	error = gnutls_pcert_import_x509_list(identity->chain, chain, &taken, 0);
	identity->chain_len = error < 0 ? 0 : taken;
	for (unsigned i = 0; i < len; i++)
		gnutls_x509_crt_deinit(chain[i]);
	return error;
}

static int take_key(struct http_identity *identity, const gnutls_datum_t *pem)
{
	int error = gnutls_privkey_init(&identity->key);
	return error < 0 ?
		error :
		gnutls_privkey_import_x509_raw(identity->key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static int take_file(struct http_identity *identity, const char *path,
	int (*take)(struct http_identity *identity, const gnutls_datum_t *pem), const char *wanted,
	struct complaint *complaint)
{
	char shown[LOG_TEXT_MAX];
	struct buf content;
	buf_init(&content, FILE_MAX_BYTES, NULL);
	int error = file_read(path, &content);
	if (error) {
		complain(complaint, "%s cannot be read: %s", log_text(shown, path),
			strerror(-error));
	} else {
		const gnutls_datum_t pem = { content.at, (unsigned)content.len };
		error = take(identity, &pem);
		if (error < 0)
			complain(complaint, "%s holds no %s: %s", log_text(shown, path), wanted,
				gnutls_strerror(error));
	}
	if (content.at)
		explicit_bzero(content.at, content.len);
	buf_done(&content);
	return error < 0 ? -EINVAL : 0;
}

static bool belong_together(const struct http_identity *identity)
{
	uint8_t certified[KEY_ID_BYTES], own[KEY_ID_BYTES];
	size_t certified_len = sizeof certified, own_len = sizeof own;
	gnutls_pubkey_t key;
	if (gnutls_pubkey_init(&key) < 0)
		return false;
	bool are_known = gnutls_pubkey_import_privkey(key, identity->key, 0, 0) == 0 &&
		gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, own, &own_len) == 0 &&
		gnutls_pubkey_get_key_id(identity->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
			certified, &certified_len) == 0;
	gnutls_pubkey_deinit(key);
	return are_known &&
		bytes_equal(
			(struct bytes){ certified, certified_len }, (struct bytes){ own, own_len });
}

/* NULL with words. */
static struct http_identity *read_identity(
	const struct http_certificate *certificate, struct complaint *complaint)
{
	char shown[LOG_TEXT_MAX], shown_key[LOG_TEXT_MAX];
	struct http_identity *identity = calloc(1, sizeof *identity);
	if (!identity) {
		complain(complaint, "no memory for a certificate");
		return NULL;
	}
	atomic_init(&identity->holders, 1);
	if (take_file(identity, certificate->certificate_file, take_chain,
		    "certificates in PEM form", complaint) < 0 ||
		take_file(identity, certificate->key_file, take_key,
			"private key in PEM form without a passphrase", complaint) < 0)
		goto failed;
	if (belong_together(identity))
		return identity;
	complain(complaint, "the key in %s is not the one that %s certifies",
		log_text(shown_key, certificate->key_file),
		log_text(shown, certificate->certificate_file));
failed:
	http_identity_release(identity);
	return NULL;
}

int http_certificate_reload(struct http_certificate *certificate, struct complaint *complaint)
{
	struct http_identity *identity = read_identity(certificate, complaint);
	if (!identity)
		return -EINVAL;
	pthread_mutex_lock(&certificate->lock);
	struct http_identity *before = certificate->identity;
	certificate->identity = identity;
	pthread_mutex_unlock(&certificate->lock);
	http_identity_release(before);
	return 0;
}

int http_certificate_new(const char *certificate_file, const char *key_file,
	struct http_certificate **ret_certificate, struct complaint *complaint)
{
	struct http_certificate *certificate = calloc(1, sizeof *certificate);
	if (!certificate)
		return complain(complaint, "no memory for a certificate");
	pthread_mutex_init(&certificate->lock, NULL);
	certificate->certificate_file = strdup(certificate_file);
	certificate->key_file = strdup(key_file);
	int error = certificate->certificate_file && certificate->key_file ?
		http_certificate_reload(certificate, complaint) :
		complain(complaint, "no memory for a certificate");
	if (error)
		http_certificate_free(certificate);
	else
		*ret_certificate = certificate;
	return error;
}

void http_certificate_free(struct http_certificate *certificate)
{
	if (!certificate)
		return;
	http_identity_release(certificate->identity);
	pthread_mutex_destroy(&certificate->lock);
	free(certificate->certificate_file);
	free(certificate->key_file);
	free(certificate);
}

static struct http_identity *hold_identity(struct http_certificate *certificate)
{
	pthread_mutex_lock(&certificate->lock);
	struct http_identity *identity = certificate->identity;
	atomic_fetch_add(&identity->holders, 1);
	pthread_mutex_unlock(&certificate->lock);
	return identity;
}

int64_t http_certificate_ends(struct http_certificate *certificate)
{
	struct http_identity *identity = hold_identity(certificate);
	int64_t ends_s = identity->ends_s;
	http_identity_release(identity);
	return ends_s;
}

/* ---- showing ---- */

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? info->tls_session : NULL;
}

struct http_identity *http_tls_begin(
	struct MHD_Connection *connection, struct http_certificate *certificate)
{
	struct http_identity *identity = certificate ? hold_identity(certificate) : NULL;
	gnutls_session_set_ptr(session_of(connection), identity);
	return identity;
}

/* A gnutls_certificate_retrieve_function2: what it hands out stays ours. */
static int show(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain,
	unsigned *ret_chain_len, gnutls_privkey_t *ret_key)
{
	struct http_identity *identity = gnutls_session_get_ptr(session);
	if (!identity)
		return GNUTLS_E_INSUFFICIENT_CREDENTIALS;
	*ret_chain = identity->chain;
	*ret_chain_len = identity->chain_len;
	*ret_key = identity->key;
	return 0;
}

struct MHD_OptionItem http_tls_options[] = {
	{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, show },
	{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE" },
	{ MHD_OPTION_END, 0, NULL },
};

bool http_tls_send_last(struct MHD_Connection *connection, struct bytes bytes)
{
	gnutls_session_t session = session_of(connection);
	ssize_t put = 1;
	while (bytes.len && put > 0) {
		put = gnutls_record_send(session, bytes.at, bytes.len);
		bytes.at += put > 0 ? put : 0;
		bytes.len -= put > 0 ? (size_t)put : 0;
	}
	return bytes.len == 0 && gnutls_bye(session, GNUTLS_SHUT_WR) == 0;
}
