#include "export/lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "export/destination.h"
#include "export/local.h"
#include "spool/delivery.h"

static bool has_projects(const struct config *config, const struct destination_config *destination)
{
	return !destination || destination->type != DESTINATION_LANGFUSE ||
		destination == config_langfuse(config);
}

static bool is_configured(const struct lanes *lanes, const char *lane)
{
	for (size_t i = 0; i < lanes->configured; i++)
		if (strcmp(lanes->names[i], lane) == 0)
			return true;
	return false;
}

static int add(struct lanes *lanes, const char *name)
{
	const char **names = realloc(lanes->names, (lanes->count + 1) * sizeof *names);
	if (!names)
		return -ENOMEM;
	names[lanes->count++] = name;
	lanes->names = names;
	return 0;
}

/* ---- what was left behind ---- */

/* Records of a lane and stage, from `from` on. Reads heads alone, and segments without the lane not at all. */
static int each_head(struct spool *spool, const char *lane, enum stage stage, uint64_t from,
	void (*each)(void *arg, const struct record *head), void *arg)
{
	struct record head;
	struct spool_reader *reader = spool_reader_new(
		spool, lane, stage, SHAPE_ANY | SHAPE_PLAIN | SHAPE_LANGFUSE, from, NULL, NULL);
	if (!reader)
		return -ENOMEM;
	int error;
	while ((error = spool_reader_next_head(reader, &head)) == 0)
		each(arg, &head);
	spool_reader_keep(reader, SPOOL_KEEP_NOTHING);
	spool_reader_free(reader);
	return error == -EAGAIN ? 0 : error;
}

struct search {
	struct delivery *delivery;
	unsigned shapes, signals;
	uint64_t waiting; /* spans, and what has none as one */
	uint64_t said;    /* requests of coding CLIs, whose spans are still to be made */
};

static void note_waiting(void *arg, const struct record *head)
{
	struct search *search = arg;
	uint32_t from, to = 0, units = head->span_count > 0 ? head->span_count : 1;
	if (!(head->shape & search->shapes) || !(search->signals & signal_bit(head->signal)))
		return;
	while (delivery_open_range(search->delivery, head->sequence, units, to, &from, &to))
		search->waiting += to - from;
}

static void note_said(void *arg, const struct record *head)
{
	struct search *search = arg;
	(void)head;
	search->said++;
}

static unsigned signals_of(const struct destination_config *destination)
{
	bool is_langfuse = destination && destination->type == DESTINATION_LANGFUSE;
	return (destination ? destination->signals : signal_bit(SIGNAL_TRACES)) |
		(is_langfuse ? signal_bit(SIGNAL_INGESTION) : 0);
}

static unsigned shapes_of(const struct destination_config *destination)
{
	return destination ? destination_of(destination->type)->shapes : SHAPE_ANY | SHAPE_LANGFUSE;
}

static int add_left_behind(struct lanes *lanes, const struct destination_config *destination,
	struct spool *spool, struct delivery *delivery)
{
	struct search search = { .delivery = delivery,
		.shapes = shapes_of(destination),
		.signals = signals_of(destination) };
	const char *lane = delivery_lane(delivery);
	char text[LOG_TEXT_MAX];
	int error =
		each_head(spool, lane, STAGE_OUT, delivery_cursor(delivery), note_waiting, &search);
	if (!error)
		error = each_head(spool, lane, STAGE_IN, 1, note_said, &search);
	if (error || (!search.waiting && !search.said))
		return error;
	bool is_langfuse = destination && destination->type == DESTINATION_LANGFUSE;
	if (search.waiting)
		log_event(LOG_LEVEL_WARNING, "lane_left_behind",
			"destination=%s lane=%s spans=%llu why=\"its project is not configured any more%s\"",
			destination ? destination->name : LOCAL_NAME, log_text(text, lane),
			(unsigned long long)search.waiting,
			is_langfuse ? "; put it back, or they go when the spool needs room" :
				      "; they are sent all the same");
	return add(lanes, lane);
}

int lanes_find(const struct config *config, const struct destination_config *destination,
	struct spool *spool, struct deliveries *deliveries, struct lanes *ret_lanes)
{
	struct lanes lanes = { 0 };
	const char *name = destination ? destination->name : LOCAL_NAME;
	int error = add(&lanes, DEFAULT_LANE);
	for (size_t i = 0; i < config->project_count && has_projects(config, destination) && !error;
		i++)
		error = add(&lanes, config->projects[i].name);
	lanes.configured = lanes.count;
	struct delivery *delivery = NULL;
	while (!error && (delivery = deliveries_next(deliveries, name, delivery)))
		if (!is_configured(&lanes, delivery_lane(delivery)))
			error = add_left_behind(&lanes, destination, spool, delivery);
	if (error)
		lanes_done(&lanes);
	else
		*ret_lanes = lanes;
	return error;
}

void lanes_done(struct lanes *lanes)
{
	free(lanes->names);
	*lanes = (struct lanes){ 0 };
}
