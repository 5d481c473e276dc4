#include "export/errands.h"

#include "export/ingestion.h"

static const struct reply stopping = { .outcome = HTTP_FAILED, .error = "the daemon stops" };

void errands_init(struct errands *errands)
{
	*errands = (struct errands){ 0 };
	pthread_mutex_init(&errands->lock, NULL);
	pthread_cond_init(&errands->answered, NULL);
}

void errands_done(struct errands *errands)
{
	pthread_cond_destroy(&errands->answered);
	pthread_mutex_destroy(&errands->lock);
}

void errands_run(struct errands *errands, struct errand *errand, void (*wake)(void *arg), void *arg)
{
	pthread_mutex_lock(&errands->lock);
	bool is_closed = errands->is_closed;
	if (is_closed) {
		errand->reply = stopping;
	} else {
		errand->next = errands->first;
		errands->first = errand;
	}
	pthread_mutex_unlock(&errands->lock);
	if (is_closed)
		return;
	wake(arg);
	pthread_mutex_lock(&errands->lock);
	while (!errand->is_answered)
		pthread_cond_wait(&errands->answered, &errands->lock);
	pthread_mutex_unlock(&errands->lock);
}

struct errand *errands_next(struct errands *errands)
{
	pthread_mutex_lock(&errands->lock);
	struct errand *errand = errands->first;
	while (errand && errand->is_sent)
		errand = errand->next;
	if (errand)
		errand->is_sent = true;
	pthread_mutex_unlock(&errands->lock);
	return errand;
}

bool errands_settle(struct errands *errands, const void *owner, const struct reply *reply)
{
	pthread_mutex_lock(&errands->lock);
	struct errand **at = &errands->first;
	while (*at && *at != owner)
		at = &(*at)->next;
	struct errand *errand = *at;
	if (errand) {
		*at = errand->next;
		errand->reply = *reply;
		errand->reply.body = (struct bytes){ 0 };
		if (errand->signal == SIGNAL_INGESTION)
			errand->reply = ingestion_reply(reply, errand->pieces, errand->event_count);
		errand->is_answered = true;
		pthread_cond_broadcast(&errands->answered);
	}
	pthread_mutex_unlock(&errands->lock);
	return errand != NULL;
}

void errands_close(struct errands *errands)
{
	pthread_mutex_lock(&errands->lock);
	errands->is_closed = true;
	pthread_mutex_unlock(&errands->lock);
	while (errands->first)
		errands_settle(errands, errands->first, &stopping);
}
