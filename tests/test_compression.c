#include "http/compression.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/files.h"
#include "config.h"
#include "http/codecs.h"

static const struct gzip_engine *const engines[] = {
	&gzip_zlib,
#ifdef HAVE_ISAL
	&gzip_isal,
#endif
};
enum { ENGINE_COUNT = sizeof engines / sizeof engines[0], MEGABYTE = 1 << 20 };

#define each_engine(engine) \
	const struct gzip_engine *engine = engines[0]; \
	for (size_t engine##_i = 0; engine##_i < ENGINE_COUNT && (engine = engines[engine##_i]); \
		engine##_i++)

static struct buf fixture(const char *name)
{
	char path[512];
	const char *source = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/fixtures/otlp/encodings/%s", source ? source : ".",
		name);
	struct buf file;
	buf_init(&file, MEGABYTE, NULL);
	cr_assert_eq(file_read(path, &file), 0, "%s", path);
	return file;
}

/* Words with some noise: compressible, and longer than every window and block. */
static struct buf text_of(size_t len)
{
	static const char *const words[] = { "span ", "trace ", "token ", "gen_ai.usage ",
		"model " };
	struct buf text;
	buf_init(&text, len, NULL);
	uint32_t seed = 1;
	while (text.len < len) {
		seed = seed * 1664525 + 1013904223;
		const char *word = words[(seed >> 24) % 5];
		size_t left = len - text.len, take = strlen(word);
		buf_append(&text, word, take < left ? take : left);
		if (text.len < len && (seed >> 20 & 7) == 0)
			buf_append(&text, &seed, 1);
	}
	return text;
}

static struct buf compressed(const struct gzip_engine *engine, struct bytes plain)
{
	struct buf out;
	buf_init(&out, 64 * MEGABYTE, NULL);
	cr_assert_eq(engine->compress(plain, &out), 0, "%s", engine->name);
	return out;
}

static void append_file(struct buf *to, const char *name)
{
	struct buf file = fixture(name);
	buf_append(to, file.at, file.len);
	buf_done(&file);
}

/* What inflating `body` says, with at most `max_bytes` out; the output is checked when given. */
static void expect(const struct gzip_engine *engine, struct bytes body, size_t max_bytes,
	int status, const struct buf *plain)
{
	struct budget budget = { .limit_bytes = max_bytes };
	struct buf out;
	buf_init(&out, max_bytes, &budget);
	int got = engine->inflate(body, &out);
	cr_expect_eq(got, status, "%s: %d instead of %d", engine->name, got, status);
	if (plain)
		cr_expect(bytes_equal(buf_bytes(&out), buf_bytes(plain)), "%s: other bytes",
			engine->name);
	buf_done(&out);
	cr_expect_eq(budget.used_bytes, 0);
}

Test(compression, what_one_engine_compresses_every_engine_inflates)
{
	static const size_t sizes[] = { 0, 1, 31, 4095, 65536, 119348, 3 * MEGABYTE + 17 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf text = text_of(sizes[i]);
		each_engine(from)
		{
			struct buf gzip = compressed(from, buf_bytes(&text));
			cr_expect(sizes[i] < 4096 || gzip.len < text.len / 2);
			each_engine(to) expect(to, buf_bytes(&gzip), sizes[i], 0, &text);
			buf_done(&gzip);
		}
		buf_done(&text);
	}
}

static struct buf noise_of(size_t len)
{
	struct buf noise;
	buf_init(&noise, len, NULL);
	uint64_t seed = 1;
	while (noise.len < len) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		buf_append(&noise, (uint8_t *)&seed + 7, 1);
	}
	return noise;
}

Test(compression, what_came_before_makes_nothing_else_longer_than_it_is)
{
	struct buf text = text_of(MEGABYTE), noise = noise_of(MEGABYTE);
	each_engine(engine)
	{
		for (int turn = 0; turn < 2; turn++) {
			struct buf of_text = compressed(engine, buf_bytes(&text));
			struct buf of_noise = compressed(engine, buf_bytes(&noise));
			cr_expect_lt(of_text.len, text.len / 4, "%s: text takes %zu bytes",
				engine->name, of_text.len);
			cr_expect_lt(of_noise.len, noise.len + noise.len / 256,
				"%s: noise takes %zu bytes", engine->name, of_noise.len);
			expect(&gzip_zlib, buf_bytes(&of_text), MEGABYTE, 0, &text);
			expect(&gzip_zlib, buf_bytes(&of_noise), MEGABYTE, 0, &noise);
			buf_done(&of_text);
			buf_done(&of_noise);
		}
	}
	buf_done(&text);
	buf_done(&noise);
}

Test(compression, the_public_functions_round_trip_and_append)
{
	struct buf gzip, back;
	buf_init(&gzip, 4096, NULL);
	buf_init(&back, 4096, NULL);
	buf_text(&back, "before ");
	cr_assert_eq(gzip_compress(bytes_of("one "), &gzip), 0);
	cr_assert_eq(gzip_compress(bytes_of("two"), &gzip), 0);
	cr_assert_eq(gzip_inflate(buf_bytes(&gzip), &back), 0);
	cr_expect(bytes_are(buf_bytes(&back), "before one two"));
	buf_done(&gzip);
	buf_done(&back);
}

Test(compression, members_laid_end_to_end_are_one_body)
{
	struct buf ok = fixture("ok.pb"), one = fixture("ok.pb.gz"),
		   two = fixture("ok.pb.two-members.gz");
	each_engine(engine)
	{
		expect(engine, buf_bytes(&one), ok.len, 0, &ok);
		expect(engine, buf_bytes(&two), ok.len, 0, &ok);
	}
	buf_done(&ok);
	buf_done(&one);
	buf_done(&two);
}

Test(compression, damaged_bodies_are_refused)
{
	static const char *const names[] = { "bad-crc.gz", "truncated.gz", "trailing-junk.gz",
		"ok.pb", "ok.pb.zlib", "ok.pb.rawdeflate" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buf body = fixture(names[i]);
		each_engine(engine) expect(engine, buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		buf_done(&body);
	}
	each_engine(engine) expect(engine, bytes_of(""), MEGABYTE, -EBADMSG, NULL);
}

Test(compression, a_body_cut_anywhere_or_with_a_changed_trailer_is_refused)
{
	struct buf body = fixture("ok.pb.gz");
	each_engine(engine)
	{
		for (size_t len = 0; len < body.len; len++) {
			/* A copy of just that size: reading past the end is seen by the sanitizer. */
			uint8_t *cut = malloc(len ? len : 1);
			memcpy(cut, body.at, len);
			expect(engine, (struct bytes){ cut, len }, MEGABYTE, -EBADMSG, NULL);
			free(cut);
		}
		for (size_t i = body.len - 8; i < body.len; i++) {
			body.at[i] ^= 1;
			expect(engine, buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
			body.at[i] ^= 1;
		}
	}
	buf_done(&body);
}

Test(compression, a_second_member_that_is_damaged_spoils_the_body)
{
	static const char *const seconds[] = { "bad-crc.gz", "truncated.gz", "ok.pb" };
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
		struct buf body;
		buf_init(&body, MEGABYTE, NULL);
		append_file(&body, "ok.pb.gz");
		append_file(&body, seconds[i]);
		each_engine(engine) expect(engine, buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		buf_done(&body);
	}
}

Test(compression, a_bomb_stops_at_the_maximum_and_never_holds_more)
{
	struct buf bomb = fixture("bomb-100MiB.gz");
	each_engine(engine)
	{
		struct budget budget = { .limit_bytes = 1000 * MEGABYTE };
		struct buf out;
		buf_init(&out, 3 * MEGABYTE, &budget);
		cr_expect_eq(engine->inflate(buf_bytes(&bomb), &out), -E2BIG);
		cr_expect_eq(out.error, -E2BIG);
		cr_expect_leq(budget.used_bytes, 3 * MEGABYTE);
		buf_done(&out);
	}
	buf_done(&bomb);
}

Test(compression, the_maximum_itself_still_fits_and_one_byte_more_does_not)
{
	static const size_t sizes[] = { 1, 100, 65536, 65537, 200000 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf text = text_of(sizes[i]);
		struct buf gzip = compressed(&gzip_zlib, buf_bytes(&text));
		each_engine(engine)
		{
			expect(engine, buf_bytes(&gzip), sizes[i], 0, &text);
			expect(engine, buf_bytes(&gzip), sizes[i] - 1, -E2BIG, NULL);
		}
		buf_done(&gzip);
		buf_done(&text);
	}
}

Test(compression, a_budget_without_room_is_no_memory_and_not_a_bad_body)
{
	struct buf text = text_of(MEGABYTE);
	struct buf gzip = compressed(&gzip_zlib, buf_bytes(&text));
	each_engine(engine)
	{
		struct budget budget = { .limit_bytes = 200000 };
		struct buf out;
		buf_init(&out, 2 * MEGABYTE, &budget);
		cr_expect_eq(engine->inflate(buf_bytes(&gzip), &out), -ENOMEM);
		buf_done(&out);
		cr_expect_eq(budget.used_bytes, 0);
	}
	buf_done(&gzip);
	buf_done(&text);
}

Test(compression, output_over_the_maximum_is_too_big)
{
	struct buf text = text_of(100000);
	each_engine(engine)
	{
		struct buf out;
		buf_init(&out, 1000, NULL);
		cr_expect_eq(engine->compress(buf_bytes(&text), &out), -E2BIG);
		buf_done(&out);
	}
	buf_done(&text);
}

/* RFC 1952: extra field, name, comment and header checksum may stand before the data. */
Test(compression, every_optional_header_field_is_read_over)
{
	static const uint8_t header[] = { 0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 'e', 'x',
		'n', 0, 'c', 0 };
	struct buf text = text_of(5000);
	struct buf plain_gzip = compressed(&gzip_zlib, buf_bytes(&text)), body;
	buf_init(&body, MEGABYTE, NULL);
	buf_append(&body, header, sizeof header);
	/* CRC-16 of the header above: the low half of its CRC-32. */
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < sizeof header; i++) {
		crc ^= header[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	crc = ~crc;
	buf_append(&body, (uint8_t[]){ (uint8_t)crc, (uint8_t)(crc >> 8) }, 2);
	buf_append(&body, plain_gzip.at + 10, plain_gzip.len - 10);
	each_engine(engine)
	{
		expect(engine, buf_bytes(&body), MEGABYTE, 0, &text);
		body.at[sizeof header] ^= 1; /* the header's checksum */
		expect(engine, buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		body.at[sizeof header] ^= 1;
	}
	buf_done(&plain_gzip);
	buf_done(&body);
	buf_done(&text);
}

Test(compression, reserved_flags_are_refused)
{
	struct buf body = fixture("ok.pb.gz");
	each_engine(engine)
	{
		for (unsigned flag = 0x20; flag <= 0x80; flag <<= 1) {
			body.at[3] ^= (uint8_t)flag;
			expect(engine, buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
			body.at[3] ^= (uint8_t)flag;
		}
	}
	buf_done(&body);
}

/* ---- the codings of requests ---- */

static const struct coding *coding(const char *name)
{
	for (const struct coding *coding = codings; coding->name; coding++)
		if (strcmp(coding->name, name) == 0)
			return coding;
	cr_assert_fail("%s is no coding", name);
	return NULL;
}

static void expect_coding(
	const char *name, struct bytes body, size_t max_bytes, int status, const struct buf *plain)
{
	/* A copy of just that size: reading past the end is seen by the sanitizer. */
	uint8_t *copy = malloc(body.len ? body.len : 1);
	memcpy(copy, body.at, body.len);
	struct budget budget = { .limit_bytes = max_bytes };
	struct buf out;
	buf_init(&out, max_bytes, &budget);
	int got = coding(name)->inflate((struct bytes){ copy, body.len }, &out);
	cr_expect_eq(got, status, "%s of %zu bytes: %d instead of %d", name, body.len, got, status);
	if (plain)
		cr_expect(bytes_equal(buf_bytes(&out), buf_bytes(plain)), "%s: other bytes", name);
	cr_expect_leq(out.capacity, max_bytes);
	buf_done(&out);
	cr_expect_eq(budget.used_bytes, 0);
	free(copy);
}

/*   window  as of deflateInit2: 15 for zlib, -15 for raw deflate */
static void append_deflate(struct buf *to, struct bytes plain, int window)
{
	z_stream stream = { .next_in = (Bytef *)plain.at, .avail_in = (uInt)plain.len };
	cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.avail_out = (uInt)deflateBound(&stream, plain.len);
	stream.next_out = buf_reserve(to, stream.avail_out);
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	to->len += stream.total_out;
	deflateEnd(&stream);
}

static void append_zstd(struct buf *to, struct bytes plain, int window_log)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
	size_t bound = ZSTD_compressBound(plain.len) + 64;
	uint8_t *at = buf_reserve(to, bound);
	ZSTD_outBuffer out = { at, bound, 0 };
	ZSTD_inBuffer in = { plain.at, plain.len, 0 };
	/* In two steps, so that the frame cannot be a single segment whose window is its content. */
	ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
	cr_assert_eq(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
	to->len += out.pos;
	ZSTD_freeCCtx(context);
}

static struct buf encoded(const char *name, struct bytes plain)
{
	struct buf out;
	buf_init(&out, 128 * MEGABYTE, NULL);
	if (strcmp(name, "zstd") == 0)
		append_zstd(&out, plain, 0);
	else if (strcmp(name, "deflate") == 0)
		append_deflate(&out, plain, 15);
	else
		cr_assert_eq(gzip_compress(plain, &out), 0);
	return out;
}

static const char *const names[] = { "gzip", "x-gzip", "deflate", "zstd" };
enum { NAMES = sizeof names / sizeof names[0] };

Test(codings, each_inflates_up_to_the_maximum_and_no_byte_more)
{
	static const size_t sizes[] = { 0, 1, 31, 4095, 65536, 65537, 3 * MEGABYTE + 17 };
	for (size_t i = 0; i < NAMES * (sizeof sizes / sizeof sizes[0]); i++) {
		const char *name = names[i % NAMES];
		struct buf text = text_of(sizes[i / NAMES]);
		struct buf body = encoded(name, buf_bytes(&text));
		expect_coding(name, buf_bytes(&body), text.len, 0, &text);
		if (text.len)
			expect_coding(name, buf_bytes(&body), text.len - 1, -E2BIG, NULL);
		buf_done(&body);
		buf_done(&text);
	}
	cr_expect_null(coding("identity")->inflate);
}

Test(codings, a_body_cut_anywhere_changed_or_with_more_behind_it_is_refused)
{
	struct buf text = text_of(3000);
	for (size_t i = 0; i < NAMES; i++) {
		struct buf body = encoded(names[i], buf_bytes(&text));
		for (size_t len = 0; len < body.len; len++)
			expect_coding(
				names[i], (struct bytes){ body.at, len }, MEGABYTE, -EBADMSG, NULL);
		body.at[body.len - 1] ^= 1; /* the checksum of each */
		expect_coding(names[i], buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		body.at[body.len - 1] ^= 1;
		buf_append(&body, "x", 1);
		expect_coding(names[i], buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		buf_append(&body, "and more", 8);
		expect_coding(names[i], buf_bytes(&body), MEGABYTE, -EBADMSG, NULL);
		buf_done(&body);
	}
	buf_done(&text);
}

Test(codings, a_bomb_stops_at_the_maximum)
{
	struct buf zeros;
	buf_init(&zeros, 100 * MEGABYTE, NULL);
	memset(buf_reserve(&zeros, 100 * MEGABYTE), 0, 100 * MEGABYTE);
	zeros.len = 100 * MEGABYTE;
	for (size_t i = 0; i < NAMES; i++) {
		struct buf bomb = encoded(names[i], buf_bytes(&zeros));
		cr_expect_lt(bomb.len, MEGABYTE);
		expect_coding(names[i], buf_bytes(&bomb), 3 * MEGABYTE, -E2BIG, NULL);
		buf_done(&bomb);
	}
	buf_done(&zeros);
}

Test(codings, a_budget_without_room_is_no_memory)
{
	struct buf text = text_of(MEGABYTE);
	for (size_t i = 0; i < NAMES; i++) {
		struct buf body = encoded(names[i], buf_bytes(&text)), out;
		struct budget budget = { .limit_bytes = 200000 };
		buf_init(&out, 2 * MEGABYTE, &budget);
		cr_expect_eq(
			coding(names[i])->inflate(buf_bytes(&body), &out), -ENOMEM, "%s", names[i]);
		buf_done(&out);
		cr_expect_eq(budget.used_bytes, 0);
		buf_done(&body);
	}
	buf_done(&text);
}

Test(codings, deflate_is_zlib_and_raw_where_it_cannot_be_zlib)
{
	struct buf ok = fixture("ok.pb"), zlib = fixture("ok.pb.zlib"),
		   raw = fixture("ok.pb.rawdeflate"), gzip = fixture("ok.pb.gz"), twice;
	expect_coding("deflate", buf_bytes(&zlib), MEGABYTE, 0, &ok);
	expect_coding("deflate", buf_bytes(&raw), MEGABYTE, 0, &ok);
	expect_coding("deflate", buf_bytes(&gzip), MEGABYTE, -EBADMSG, NULL);
	expect_coding("deflate", buf_bytes(&ok), MEGABYTE, -EBADMSG, NULL);
	buf_init(&twice, MEGABYTE, NULL);
	append_file(&twice, "ok.pb.zlib");
	append_file(&twice, "ok.pb.zlib"); /* zlib has no members */
	expect_coding("deflate", buf_bytes(&twice), MEGABYTE, -EBADMSG, NULL);
	buf_done(&twice);
	buf_done(&ok);
	buf_done(&zlib);
	buf_done(&raw);
	buf_done(&gzip);
}

Test(codings, zstd_frames_are_laid_end_to_end_and_some_are_skipped)
{
	static const uint8_t skipped[] = { 0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	struct buf body, text, nothing;
	buf_init(&body, MEGABYTE, NULL);
	buf_init(&text, MEGABYTE, NULL);
	buf_init(&nothing, 1, NULL);
	buf_append(&body, skipped, sizeof skipped);
	expect_coding("zstd", buf_bytes(&body), MEGABYTE, 0, &nothing);
	for (int i = 0; i < 3; i++) {
		struct buf part = text_of(1000 * (size_t)i);
		append_zstd(&body, buf_bytes(&part), 0);
		buf_append(&body, skipped, sizeof skipped);
		buf_append(&text, part.at, part.len);
		buf_done(&part);
	}
	expect_coding("zstd", buf_bytes(&body), MEGABYTE, 0, &text);
	expect_coding("zstd", (struct bytes){ body.at, body.len - 1 }, MEGABYTE, -EBADMSG, NULL);
	buf_done(&body);
	buf_done(&text);
	buf_done(&nothing);
}

Test(codings, a_zstd_window_of_8_mib_is_taken_and_a_larger_one_is_too_much)
{
	struct buf text = text_of(10000);
	for (int window_log = 21; window_log <= 27; window_log++) {
		struct buf body;
		buf_init(&body, MEGABYTE, NULL);
		append_zstd(&body, buf_bytes(&text), window_log);
		bool is_taken = window_log <= 23;
		expect_coding("zstd", buf_bytes(&body), MEGABYTE, is_taken ? 0 : -E2BIG,
			is_taken ? &text : NULL);
		buf_done(&body);
	}
	buf_done(&text);
}
