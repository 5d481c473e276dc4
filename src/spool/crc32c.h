/* CRC-32C (Castagnoli, RFC 3720 B.4): the one checksum of the log, whoever wrote or reads it. */
#ifndef TG_SPOOL_CRC32C_H
#define TG_SPOOL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t bytes);

#endif
