#include <config.h>

#include "spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/crc32c.h"

enum {
	NAME_BYTES = sizeof "segment-00000000.damaged",
	FORMAT_VERSION = 1,
	UNUSED_BYTES_MAX = 2 << 20, /* so that many short runs do not fill the disk with nothing */
};
static const char magic[8] = "tollgate";

struct header {
	char magic[8];
	uint32_t version;
	uint32_t crc;
	uint64_t generation;
	uint64_t first_sequence;
	uint64_t end_sequence;
	uint64_t used_bytes;
	uint64_t oldest_ns;
	uint64_t lanes;
	uint64_t is_sealed;
};
_Static_assert(sizeof(struct header) == 72, "the layout in segment.h");

uint64_t lane_bit(const char *lane)
{
	return UINT64_C(1) << crc32c(lane, strlen(lane)) % 64;
}

static void name_file(uint32_t id, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "segment-%08x", id);
}

bool segment_parse_name(const char *name, uint32_t *ret_id)
{
	uint32_t id;
	char canonical[NAME_BYTES];
	if (sscanf(name, "segment-%8x", &id) != 1)
		return false;
	name_file(id, canonical);
	if (strcmp(name, canonical) != 0)
		return false;
	*ret_id = id;
	return true;
}

int segment_open(int directory, uint32_t id, int flags)
{
	char name[NAME_BYTES];
	name_file(id, name);
	int fd = openat(directory, name, flags | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EINVAL) /* the refusal comes after O_CREAT has made the file */
		fd = openat(directory, name, (flags & ~O_EXCL) | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

void segment_unlink(int directory, uint32_t id)
{
	char name[NAME_BYTES];
	name_file(id, name);
	unlinkat(directory, name, 0);
}

void segment_set_aside(int directory, uint32_t id)
{
	char from[NAME_BYTES], to[NAME_BYTES];
	name_file(id, from);
	snprintf(to, sizeof to, "segment-%08x.damaged", id);
	renameat(directory, from, directory, to);
}

/* Some file systems take O_DIRECT at open and refuse it at the first transfer. */
static bool leave_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && flags & O_DIRECT && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

int segment_write(int fd, const void *from, size_t bytes, uint64_t offset)
{
	while (bytes > 0) {
		ssize_t put = pwrite(fd, from, bytes, (off_t)offset);
		if (put < 0 && (errno == EINTR || (errno == EINVAL && leave_direct(fd))))
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		from = (const uint8_t *)from + put;
		bytes -= (size_t)put;
		offset += (size_t)put;
	}
	return 0;
}

int segment_grow(int fd, uint64_t from_bytes, uint64_t to_bytes)
{
	int done;
	do
		done = fallocate(fd, 0, (off_t)from_bytes, (off_t)(to_bytes - from_bytes));
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno == EOPNOTSUPP)
		done = ftruncate(fd, (off_t)to_bytes); /* the blocks come with the writes */
	return done < 0 ? -errno : 0;
}

static uint32_t checksum(const struct header *header)
{
	size_t from = offsetof(struct header, generation);
	return crc32c((const uint8_t *)header + from, sizeof *header - from);
}

int segment_write_header(int fd, const struct segment *segment)
{
	_Alignas(BLOCK_BYTES) uint8_t block[BLOCK_BYTES] = { 0 };
	struct header header = {
		.version = FORMAT_VERSION,
		.generation = segment->generation,
		.first_sequence = segment->first_sequence,
	};
	if (segment->is_sealed) {
		header.end_sequence = segment->end_sequence;
		header.used_bytes = segment->used_bytes;
		header.oldest_ns = segment->oldest_ns;
		header.lanes = segment->lanes;
		header.is_sealed = 1;
	}
	memcpy(header.magic, magic, sizeof magic);
	header.crc = checksum(&header);
	memcpy(block, &header, sizeof header);
	return segment_write(fd, block, sizeof block, 0);
}

void segment_seal(int fd, struct segment *segment)
{
	segment->is_sealed = true;
	if (segment_write_header(fd, segment) < 0 || fdatasync(fd) < 0)
		return;
	if (segment->file_bytes >= segment->used_bytes + UNUSED_BYTES_MAX &&
		ftruncate(fd, (off_t)segment->used_bytes) == 0)
		segment->file_bytes = segment->used_bytes;
}

/* Bytes read; short only at the end of the file or where the disk fails. */
static size_t read_some(int fd, uint8_t *to, size_t bytes, uint64_t offset)
{
	size_t got = 0;
	while (got < bytes) {
		ssize_t more = pread(fd, to + got, bytes - got, (off_t)(offset + got));
		if (more < 0 && (errno == EINTR || (errno == EINVAL && leave_direct(fd))))
			continue;
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	return got;
}

static bool is_blank(const uint8_t *at, size_t bytes)
{
	return at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0;
}

static bool is_sane(const struct header *header, uint64_t file_bytes)
{
	if (memcmp(header->magic, magic, sizeof magic) != 0 || header->version != FORMAT_VERSION ||
		header->crc != checksum(header) || header->generation == 0 ||
		header->generation >= BELIEVED_MAX || header->first_sequence == 0 ||
		header->first_sequence >= BELIEVED_MAX)
		return false;
	return !header->is_sealed ||
		(header->end_sequence >= header->first_sequence &&
			header->end_sequence <= BELIEVED_MAX && header->used_bytes >= BLOCK_BYTES &&
			header->used_bytes <= file_bytes && header->used_bytes % BLOCK_BYTES == 0);
}

int segment_read_header(int fd, struct segment *segment)
{
	_Alignas(BLOCK_BYTES) uint8_t block[BLOCK_BYTES] = { 0 };
	struct header header;
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	read_some(fd, block, sizeof block, 0);
	memcpy(&header, block, sizeof header);
	segment->file_bytes = (uint64_t)status.st_size;
	if (is_blank(block, sizeof block) && status.st_size <= BLOCK_BYTES)
		return -ENODATA;
	if (!is_sane(&header, segment->file_bytes))
		return -EBADMSG;
	segment->generation = header.generation;
	segment->first_sequence = header.first_sequence;
	segment->end_sequence = header.is_sealed ? header.end_sequence : header.first_sequence;
	segment->used_bytes = header.is_sealed ? header.used_bytes : BLOCK_BYTES;
	segment->oldest_ns = header.oldest_ns;
	segment->lanes = header.lanes;
	segment->is_sealed = header.is_sealed;
	return 0;
}

int segment_read(
	int fd, uint64_t generation, uint64_t offset, size_t bytes, struct block **ret_block)
{
	struct block *block = block_new(generation, offset, bytes);
	if (!block)
		return -ENOMEM;
	size_t got = read_some(fd, block->at, bytes, offset) / BLOCK_BYTES * BLOCK_BYTES;
	while (got <
		bytes) { /* past a bad place block by block, or into the nothing behind the end */
		size_t part = read_some(fd, block->at + got, BLOCK_BYTES, offset + got);
		memset(block->at + got + part, 0, BLOCK_BYTES - part);
		got += BLOCK_BYTES;
	}
	*ret_block = block;
	return 0;
}
