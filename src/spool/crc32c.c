#include <config.h>

#include "spool/crc32c.h"

#ifdef HAVE_ISAL

#include <isa-l/crc.h>

uint32_t crc32c(const void *data, size_t bytes)
{
	const uint8_t *at = data;
	unsigned crc = ~0u;
	while (bytes > 0) {
		int step = bytes < 1 << 30 ? (int)bytes : 1 << 30; /* it counts in int */
		crc = crc32_iscsi((unsigned char *)(uintptr_t)at, step, crc);
		at += step;
		bytes -= (size_t)step;
	}
	return ~crc;
}

#else

#include <pthread.h>

static uint32_t table[256];

static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		table[i] = crc;
	}
}

uint32_t crc32c(const void *data, size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, fill_table);
	const uint8_t *at = data;
	uint32_t crc = ~0u;
	while (bytes-- > 0)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
	return ~crc;
}

#endif
