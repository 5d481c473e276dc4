#include "access/access.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "access/authorization.h"
#include "access/browser.h"
#include "access/keys.h"
#include "base/log.h"
#include "config/config.h"

enum { HOSTNAME_MAX = 256, PAIR_MAX_BYTES = 2 << 10 };

struct access {
	const struct config *config;
	char hostname[HOSTNAME_MAX];
	struct caller *callers; /* the default project, then the others in their order */
	unsigned caller_count;
	pthread_rwlock_t lock;
	struct keyring keys; /* guarded by lock; projects are places in `callers` */
};

static const struct caller anonymous = { DEFAULT_LANE, true };

/* Where the keys of a project's callers stand; NULL what is not set. */
struct source {
	const char *public_key, *secret_key, *keys_file;
};

static struct source source_of(
	const struct access *access, const struct config *config, unsigned project)
{
	if (project == 0) {
		const struct destination_config *first = config_langfuse(access->config);
		const struct destination_config *now =
			first ? config_destination(config, first->name) : NULL;
		return (struct source){ now ? now->public_key : NULL, now ? now->secret_key : NULL,
			config->access.keys_file };
	}
	for (size_t i = 0; i < config->project_count; i++) {
		const struct project_config *now = &config->projects[i];
		if (strcmp(now->name, access->callers[project].lane) == 0)
			return (struct source){ now->public_key, now->secret_key,
				now->gateway_keys_file };
	}
	return (struct source){ NULL };
}

static int add_pair(struct keyring *keys, const struct source *source, unsigned project)
{
	struct buf pair;
	buf_init(&pair, PAIR_MAX_BYTES, NULL);
	buf_printf(&pair, "%s:%s", source->public_key, source->secret_key);
	int error = pair.error;
	if (!error)
		error = keyring_add(keys, KEY_PAIR, buf_bytes(&pair), project);
	if (!error)
		error = keyring_add(keys, KEY_PUBLIC, bytes_of(source->public_key), project);
	OPENSSL_cleanse(pair.at, pair.capacity);
	buf_done(&pair);
	return error;
}

static int read_all(const struct access *access, const struct config *config, struct keyring *keys,
	struct complaint *complaint)
{
	int error = 0;
	for (unsigned i = 0; i < access->caller_count && !error; i++) {
		const struct source source = source_of(access, config, i);
		if (source.public_key && source.secret_key)
			error = add_pair(keys, &source, i);
		if (!error && source.keys_file)
			error = keyring_read_file(keys, source.keys_file, i, complaint);
	}
	return error;
}

/* A key that stands twice would go on letting in whoever one of its lines was taken from. */
static int refuse_twins(const struct access *access, const struct config *config,
	struct keyring *keys, struct complaint *complaint)
{
	struct key twins[2];
	char shown[LOG_TEXT_MAX];
	if (!keyring_has_twins(keys, twins))
		return 0;
	const char *first = source_of(access, config, twins[0].project).keys_file;
	const char *second = source_of(access, config, twins[1].project).keys_file;
	snprintf(complaint->file, sizeof complaint->file, "%s", second);
	complaint->line = (int)twins[1].line;
	return complain(complaint, "this key stands in line %u of %s too", twins[0].line,
		log_text(shown, first));
}

int access_read(const struct access *access, const struct config *config, struct keyring *ret_keys,
	struct complaint *complaint)
{
	struct keyring keys = { 0 };
	int error = read_all(access, config, &keys, complaint);
	if (!error)
		error = refuse_twins(access, config, &keys, complaint);
	if (error)
		keyring_done(&keys);
	else
		*ret_keys = keys;
	return error;
}

void access_take(struct access *access, struct keyring *keys)
{
	pthread_rwlock_wrlock(&access->lock);
	struct keyring before = access->keys;
	access->keys = *keys;
	pthread_rwlock_unlock(&access->lock);
	*keys = (struct keyring){ 0 };
	keyring_done(&before);
}

/* A flood of questions must not keep new keys out. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t writers_first;
	pthread_rwlockattr_init(&writers_first);
	pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &writers_first);
	pthread_rwlockattr_destroy(&writers_first);
}

int access_new(const struct config *config, struct access **ret_access, struct complaint *complaint)
{
	struct access *access = calloc(1, sizeof *access);
	if (!access)
		return -ENOMEM;
	access->config = config;
	init_lock(&access->lock);
	gethostname(access->hostname, sizeof access->hostname - 1);
	access->caller_count = (unsigned)config->project_count + 1;
	access->callers = calloc(access->caller_count, sizeof *access->callers);
	int error = access->callers ? 0 : -ENOMEM;
	for (unsigned i = 0; i < access->caller_count && !error; i++)
		access->callers[i].lane = i ? config->projects[i - 1].name : anonymous.lane;
	if (!error)
		error = access_read(access, config, &access->keys, complaint);
	if (error)
		access_free(access);
	else
		*ret_access = access;
	return error;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	keyring_done(&access->keys);
	pthread_rwlock_destroy(&access->lock);
	free(access->callers);
	free(access);
}

size_t access_gateway_keys(const struct access *access)
{
	return access->keys.of[KEY_GATEWAY].count;
}

static unsigned judge_key(struct access *access, const char *authorization,
	const struct caller **ret_caller, const char **ret_why)
{
	pthread_rwlock_rdlock(&access->lock);
	int project = authorization_find(&access->keys, authorization);
	pthread_rwlock_unlock(&access->lock);
	if (project >= 0) {
		*ret_caller = &access->callers[project];
		return 0;
	}
	*ret_why = project == -ENOMEM ? "no memory to look at the key" :
					"Authorization holds no key that is known here";
	return project == -ENOMEM ? 503 : 401;
}

static unsigned judge_anonymous(
	const struct access *access, const struct claims *claims, const char **ret_why)
{
	const struct config *config = access->config;
	const struct texts hosts = { config->access.hosts, config->access.host_count };
	if (config->access.anonymous == ANONYMOUS_NOBODY ||
		(config->access.anonymous == ANONYMOUS_LOCAL && !claims->is_local)) {
		*ret_why = "a key is needed: Authorization with a gateway key as Bearer, or with a "
			   "project's key pair as Basic";
		return 401;
	}
	if (!claims->host || !host_is_ours(claims->host, access->hostname, hosts)) {
		*ret_why = "without a key, Host must be an address or a name that is known here: "
			   "access.hosts lists more";
		return 403;
	}
	return 0;
}

unsigned access_judge(struct access *access, const struct claims *claims,
	const struct caller **ret_caller, const char **ret_why)
{
	const struct config *config = access->config;
	const struct texts origins = { config->access.origins, config->access.origin_count };
	if (claims->origin && !origin_is_welcome(claims->origin, claims->host, origins)) {
		*ret_why =
			"a web page of another origin sent this: access.origins lists those that "
			"may";
		return 403;
	}
	*ret_caller = &anonymous;
	if (claims->is_question)
		return 0;
	return claims->authorization ?
		judge_key(access, claims->authorization, ret_caller, ret_why) :
		judge_anonymous(access, claims, ret_why);
}

/* Each with all below it. */
static bool is_open_to_all(const char *method, const char *path)
{
	static const char *const open[] = { "/healthz", "/readyz", "/project", "/trace", "/auth" };
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return false;
	for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
		size_t len = strlen(open[i]);
		if (strncmp(path, open[i], len) == 0 && (!path[len] || path[len] == '/'))
			return true;
	}
	return false;
}

static bool read_claim(void *arg, const char *name, const char *value)
{
	struct claims *claims = arg;
	const struct {
		const char *name;
		const char **claim;
	} rows[] = { { "Authorization", &claims->authorization }, { "Host", &claims->host },
		{ "Origin", &claims->origin } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcasecmp(name, rows[i].name) == 0)
			*rows[i].claim = *rows[i].claim ? "" : value;
	return true;
}

unsigned access_admit(struct http_request *request, void *access, const char **ret_why,
	const struct http_header **ret_headers)
{
	static const struct http_header challenges[] = {
		{ "WWW-Authenticate", "Basic realm=\"tollgate\", charset=\"UTF-8\"" },
		{ "WWW-Authenticate", "Bearer realm=\"tollgate\"" },
		{ NULL, NULL },
	};
	const char *method = http_request_method(request);
	const struct caller *caller = &anonymous;
	if (is_open_to_all(method, http_request_path(request)))
		return 0;
	struct claims claims = { .is_local = http_request_is_local(request),
		.is_question = strcmp(method, "OPTIONS") == 0 };
	http_request_each_header(request, read_claim, &claims);
	unsigned status = access_judge(access, &claims, &caller, ret_why);
	if (status == 401)
		*ret_headers = challenges;
	http_request_set_caller(request, caller);
	return status;
}

const struct caller *access_caller(const struct http_request *request)
{
	const struct caller *caller = http_request_caller(request);
	return caller ? caller : &anonymous;
}

static bool has_key(const struct keyring *keys)
{
	return keys->of[KEY_GATEWAY].count + keys->of[KEY_PAIR].count > 0;
}

int access_check(const struct config *config, struct complaint *complaint)
{
	struct access *access;
	char shown[LOG_TEXT_MAX];
	int error = access_new(config, &access, complaint);
	if (error)
		return complain(complaint, "%s", strerror(-error));
	if (!host_is_loopback(config->listen) && !has_key(&access->keys) &&
		config->access.anonymous != ANONYMOUS_EVERYONE)
		error = complain(complaint,
			"listen is %s, which others reach, and there is no key that they could show: set "
			"access.keys_file to a file of keys from \"tollgate key\", or access.anonymous "
			"to \"everyone\"",
			log_text(shown, config->listen));
	access_free(access);
	return error;
}

bool access_is_open(const struct config *config)
{
	return !host_is_loopback(config->listen) && config->access.anonymous == ANONYMOUS_EVERYONE;
}
