#include "bench/tally.h"

#include <endian.h>
#include <sys/mman.h>
#include <time.h>

/* Stands before the number, so that no id is zero and foreign ones are recognised. */
#define ID_MARK (UINT64_C(0x7467) << 48)

static size_t size_of(uint64_t capacity)
{
	return sizeof(struct tally) + capacity;
}

struct tally *tally_new(uint64_t capacity)
{
	struct tally *tally = mmap(NULL, size_of(capacity), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tally == MAP_FAILED)
		return NULL;
	tally->capacity = capacity;
	return tally;
}

void tally_free(struct tally *tally)
{
	if (tally)
		munmap(tally, size_of(tally->capacity));
}

/* One writer, so plain read and write of each counter is enough; readers see whole values. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

void tally_mark(struct tally *tally, uint64_t number)
{
	if (number >= tally->capacity) {
		add(&tally->strangers, 1);
		return;
	}
	uint8_t times = atomic_load_explicit(&tally->times[number], memory_order_relaxed);
	if (times < UINT8_MAX)
		atomic_store_explicit(&tally->times[number], times + 1, memory_order_relaxed);
	add(&tally->spans, 1);
	if (times == 0)
		add(&tally->distinct, 1);
}

void tally_mark_id(struct tally *tally, struct bytes span_id)
{
	int64_t number = span_number_of_id(span_id);
	tally_mark(tally, number < 0 ? UINT64_MAX : (uint64_t)number);
}

void span_number_to_id(uint64_t number, uint8_t id[8])
{
	uint64_t big = htobe64(ID_MARK | number);
	memcpy(id, &big, 8);
}

int64_t span_number_of_id(struct bytes span_id)
{
	uint64_t big;
	if (span_id.len != 8)
		return -1;
	memcpy(&big, span_id.at, 8);
	uint64_t value = be64toh(big);
	return (value >> 48) == (ID_MARK >> 48) ? (int64_t)(value & (ID_MARK ^ UINT64_MAX)) : -1;
}

struct tally_difference tally_compare(
	const struct tally *acknowledged, const struct tally *received)
{
	struct tally_difference difference = { 0 };
	for (uint64_t i = 0; i < received->capacity; i++) {
		uint8_t times = received->times[i];
		if (times > 1)
			difference.duplicated += times - 1;
		if (times == 0 && i < acknowledged->capacity && acknowledged->times[i])
			difference.lost++;
	}
	return difference;
}

uint64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
