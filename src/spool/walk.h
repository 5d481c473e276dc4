/*
 * From record to record through one segment: by their headers, and past damage by looking for the next
 * place where a valid header of this generation begins.
 */
#ifndef TG_SPOOL_WALK_H
#define TG_SPOOL_WALK_H

#include "spool/block.h"
#include "spool/frame.h"
#include "spool/segment.h"

struct walk {
	struct cache *cache; /* looked into before the disk */
	int directory;

	uint32_t id;
	uint64_t generation;   /* 0: that of the first record found */
	uint64_t end_bytes;    /* nothing is looked at behind; moved by the caller as it grows */
	uint64_t offset;       /* where the next header should be */
	uint64_t sequence;     /* which it should have */
	uint64_t frame_offset; /* of the frame that walk_next gave last */
	uint64_t frame_bytes;  /* of that record; 0 at the first and past damage */
	struct block *window;  /* what was read last */
	int fd;                /* -1: not opened, as while all comes from the cache */
};

void walk_init(struct walk *walk, struct cache *cache, int directory);

/* Goes to the first record of a segment. */
void walk_begin(struct walk *walk, const struct segment *segment);

/* Gives back memory and descriptor, as at the end; the next step takes them again. */
void walk_rest(struct walk *walk);

/*
 * The next valid header. Its sequence may be above the one expected: what lies between is damaged.
 * -ENODATA: no more in this segment; other errors pass (no memory, no descriptors) and nothing moved.
 */
int walk_next(struct walk *walk, struct frame *ret_frame);

/*
 * The body of the frame that walk_next gave last; lives in walk->window.
 * -EBADMSG: its checksum is wrong.
 */
int walk_body(struct walk *walk, const struct frame *frame, const uint8_t **ret_body);

#endif
