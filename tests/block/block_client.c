/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a block driver, for tests/test_block.py: `block_client LABEL COMMAND...` sends requests by proto/bdev.h while it initialises
 * and tells what comes back in the log, each line `@N REQUEST ...: RESULT`. Numbers are decimal; a command is one word:
 *
 *   open:MINOR:ACCESS             close:MINOR
 *   read:MINOR:POS:LEN            the bytes' checksum (FNV-1a, 64 bits) follows the result
 *   write:MINOR:POS:LEN:SEED      bytes from a generator that the test on the host knows, too
 *   fua:MINOR:POS:LEN:SEED        the same, on stable storage before the answer
 *   segs:MINOR:POS:LEN            the same read in 64 segments of odd places
 *   flush:MINOR                   discard:MINOR:POS:LEN
 *   many:MINOR:COUNT:LEN          COUNT reads at once, one after the other on the disk
 *   raw:TYPE:MINOR:POS:LEN:NSEGS  whatever the numbers say, with a grant of 4 KiB
 *   storm:MINOR:COUNT             COUNT times 16 random requests of 64 KiB, checked against what was written before
 *   sleep:MS
 */
#include <errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <proto/bdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { BUFFER_BYTES = 4 << 20, WAIT_S = 20, ARGS = 6, STORM_PIECE = 65536, STORM_PIECES = 64, STORM_WIDTH = 16 };

static struct {
	const char *label;
	endpoint_t driver;
	uint64_t next_id;
	uint8_t *buffer;
	int number;
	int argc; char **argv;
} client;

struct answer { int64_t result; uint64_t value, value2; };

/* ---- bytes ---- */

static uint64_t checksum(const uint8_t *p, uint64_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (uint64_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static void generate(uint8_t *p, uint64_t len, uint64_t seed)
{
	uint64_t x = seed * 2654435761u + 1;

	for (uint64_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(x >> 56);
	}
}

/* ---- requests ---- */

static uint64_t request_send(uint32_t type, const struct bdev_req *req)
{
	struct message m = { .type = type };

	*MSG_BODY(struct bdev_req, &m) = *req;
	MSG_BODY(struct bdev_req, &m)->id = ++client.next_id;
	sef_send(client.driver, &m, 0);
	return client.next_id;
}

/* The next answer of the driver. ETIMEDOUT in result when none comes. */
static uint64_t answer_get(struct answer *a)
{
	struct message m;
	uint32_t status;

	sys_setalarm(sys_uptime() + WAIT_S * 1000000000ull, 0);
	for (;;) {
		if (sef_receive(EP_ANY, &m, &status) != 0)
			continue;
		if (ipc_is_notify(status) && m.source == EP_CLOCK) {
			*a = (struct answer){ .result = -ETIMEDOUT };
			return 0;
		}
		if (m.source == client.driver && m.type == BDEV_REPLY) {
			const struct bdev_rep *rep = MSG_BODY(const struct bdev_rep, &m);

			*a = (struct answer){ rep->result, rep->value, rep->value2 };
			return rep->id;
		}
	}
}

static struct answer request(uint32_t type, const struct bdev_req *req)
{
	uint64_t id = request_send(type, req), got;
	struct answer a;

	do {
		got = answer_get(&a);
	} while (got != id && a.result != -ETIMEDOUT);
	return a;
}

static struct answer transfer(uint32_t type, uint32_t flags, uint64_t minor, uint64_t pos, uint64_t len)
{
	grant_t g = grant_direct(client.driver, client.buffer, BUFFER_BYTES, type == BDEV_READ ? GRANT_WRITE : GRANT_READ);
	struct bdev_req req = { .minor = (uint32_t)minor, .flags = flags, .pos = pos, .grant = g, .len = len };
	struct answer a = request(type, &req);

	grant_revoke(g);
	return a;
}

/* ---- commands; each returns its result and may fill `text` ---- */

typedef int64_t command_fn(const uint64_t *a, char *text, size_t room);

static int64_t do_open(const uint64_t *a, char *text, size_t room)
{
	struct bdev_req req = { .minor = (uint32_t)a[0], .flags = (uint32_t)a[1] };
	struct answer r = request(BDEV_OPEN, &req);

	snprintf(text, room, " size %llu block %llu", (unsigned long long)r.value, (unsigned long long)r.value2);
	return r.result;
}

static int64_t do_close(const uint64_t *a, char *text, size_t room)
{
	struct bdev_req req = { .minor = (uint32_t)a[0] };

	(void)text, (void)room;
	return request(BDEV_CLOSE, &req).result;
}

static int64_t do_read(const uint64_t *a, char *text, size_t room)
{
	struct answer r;

	memset(client.buffer, 0, BUFFER_BYTES);
	r = transfer(BDEV_READ, 0, a[0], a[1], a[2]);
	snprintf(text, room, " sum %016llx", (unsigned long long)checksum(client.buffer, r.result > 0 ? (uint64_t)r.result : 0));
	return r.result;
}

static int64_t do_write(const uint64_t *a, char *text, size_t room)
{
	(void)text, (void)room;
	generate(client.buffer, a[2] < BUFFER_BYTES ? a[2] : BUFFER_BYTES, a[3]);
	return transfer(BDEV_WRITE, 0, a[0], a[1], a[2]).result;
}

static int64_t do_fua(const uint64_t *a, char *text, size_t room)
{
	(void)text, (void)room;
	generate(client.buffer, a[2], a[3]);
	return transfer(BDEV_WRITE, BDEV_FUA, a[0], a[1], a[2]).result;
}

/* Segments of 512 bytes to some pages, at places that are not aligned. The last one has the rest. */
static int64_t do_segs(const uint64_t *a, char *text, size_t room)
{
	static struct bdev_seg segs[BDEV_SEGS_MAX];
	static uint8_t whole[1 << 20];
	grant_t data = grant_direct(client.driver, client.buffer, BUFFER_BYTES, GRANT_WRITE);
	grant_t list = grant_direct(client.driver, segs, sizeof(segs), GRANT_READ);
	struct bdev_req req = { .minor = (uint32_t)a[0], .pos = a[1], .grant = list, .nsegs = BDEV_SEGS_MAX, .len = a[2] };
	uint64_t left = a[2], place = 100, done = 0;
	struct answer r;

	for (uint32_t i = 0; i < BDEV_SEGS_MAX; i++) {
		uint64_t len = i == BDEV_SEGS_MAX - 1 ? left : 512 * (1 + i * 7 % 20);

		segs[i] = (struct bdev_seg){ data, (uint32_t)len, place };
		place += len + 24;
		left -= len;
	}
	r = request(BDEV_READ, &req);
	for (uint32_t i = 0; i < BDEV_SEGS_MAX && r.result > 0; done += segs[i++].len)
		memcpy(whole + done, client.buffer + segs[i].offset, segs[i].len);
	snprintf(text, room, " sum %016llx", (unsigned long long)checksum(whole, done));
	grant_revoke(data);
	grant_revoke(list);
	return r.result;
}

static int64_t do_flush(const uint64_t *a, char *text, size_t room)
{
	struct bdev_req req = { .minor = (uint32_t)a[0] };

	(void)text, (void)room;
	return request(BDEV_FLUSH, &req).result;
}

static int64_t do_discard(const uint64_t *a, char *text, size_t room)
{
	struct bdev_req req = { .minor = (uint32_t)a[0], .pos = a[1], .len = a[2] };

	(void)text, (void)room;
	return request(BDEV_DISCARD, &req).result;
}

static int64_t do_many(const uint64_t *a, char *text, size_t room)
{
	grant_t g = grant_direct(client.driver, client.buffer, BUFFER_BYTES, GRANT_WRITE);
	int64_t bytes = 0;
	struct answer r;

	for (uint64_t i = 0; i < a[1]; i++) {
		struct bdev_req req = { .minor = (uint32_t)a[0], .pos = i * a[2], .grant = g, .offset = i * a[2], .len = a[2] };

		request_send(BDEV_READ, &req);
	}
	for (uint64_t i = 0; i < a[1] && bytes >= 0; i++) {
		answer_get(&r);
		bytes = r.result < 0 ? r.result : bytes + r.result;
	}
	grant_revoke(g);
	snprintf(text, room, " sum %016llx", (unsigned long long)checksum(client.buffer, a[1] * a[2]));
	return bytes;
}

static int64_t do_raw(const uint64_t *a, char *text, size_t room)
{
	grant_t g = grant_direct(client.driver, client.buffer, PAGE_BYTES, GRANT_READ | GRANT_WRITE);
	struct bdev_req req = { .minor = (uint32_t)a[1], .pos = a[2], .len = a[3], .nsegs = (uint32_t)a[4], .grant = g };
	int64_t result = request((uint32_t)a[0], &req).result;

	(void)text, (void)room;
	grant_revoke(g);
	return result;
}

static int64_t do_sleep(const uint64_t *a, char *text, size_t room)
{
	nstime_t end = sys_uptime() + a[0] * 1000000;

	(void)text, (void)room;
	while (sys_uptime() < end)
		;
	return 0;
}

/* ---- a storm of requests; a piece has one seed, known here ---- */

static struct { uint64_t seed[STORM_PIECES]; uint64_t x; } storm;

static uint64_t storm_random(uint64_t n)
{
	storm.x = storm.x * 6364136223846793005u + 1442695040888963407u;
	return (storm.x >> 33) % n;
}

/* Sixteen pieces that are not the same, half of them written anew; then what was read is compared. */
static int64_t storm_round(uint64_t minor, grant_t g)
{
	static uint8_t expected[STORM_PIECE];
	uint64_t first = storm_random(STORM_PIECES);
	bool reads[STORM_WIDTH];
	struct answer r;

	for (uint64_t i = 0; i < STORM_WIDTH; i++) {
		uint64_t piece = (first + i * 3) % STORM_PIECES;
		struct bdev_req req = { .minor = (uint32_t)minor, .pos = piece * STORM_PIECE, .grant = g, .offset = i * STORM_PIECE,
					.len = STORM_PIECE };

		reads[i] = storm.seed[piece] && storm_random(2);
		if (!reads[i]) {
			storm.seed[piece] = 1 + storm_random(1 << 30);
			generate(client.buffer + i * STORM_PIECE, STORM_PIECE, storm.seed[piece]);
		}
		request_send(reads[i] ? BDEV_READ : BDEV_WRITE, &req);
	}
	for (uint64_t i = 0; i < STORM_WIDTH; i++) {
		answer_get(&r);
		if (r.result != STORM_PIECE)
			return r.result ? r.result : -EIO;
	}
	for (uint64_t i = 0; i < STORM_WIDTH; i++) {
		generate(expected, STORM_PIECE, storm.seed[(first + i * 3) % STORM_PIECES]);
		if (memcmp(expected, client.buffer + i * STORM_PIECE, STORM_PIECE) != 0)
			return -EDOM;
	}
	return 0;
}

static int64_t do_storm(const uint64_t *a, char *text, size_t room)
{
	grant_t g = grant_direct(client.driver, client.buffer, BUFFER_BYTES, GRANT_READ | GRANT_WRITE);
	nstime_t begin = sys_uptime();
	int64_t result = 0;

	for (uint64_t i = 0; i < a[1] && result == 0; i++)
		result = storm_round(a[0], g);
	grant_revoke(g);
	snprintf(text, room, " %llu KiB/s", (unsigned long long)(a[1] * STORM_WIDTH * 64 * 1000000000ull / (sys_uptime() - begin)));
	return result;
}

static const struct { const char *name; command_fn *run; } commands[] = {
	{ "open", do_open }, { "close", do_close }, { "read", do_read }, { "write", do_write }, { "fua", do_fua }, { "segs", do_segs },
	{ "flush", do_flush }, { "discard", do_discard }, { "many", do_many }, { "raw", do_raw }, { "sleep", do_sleep },
	{ "storm", do_storm },
};

static void command_run(char *word)
{
	char text[64] = "", shown[80];
	uint64_t a[ARGS] = { 0 };
	char *save, *name;
	int64_t result = -ENOSYS;

	snprintf(shown, sizeof(shown), "%s", word);
	name = strtok_r(word, ":", &save);
	for (int i = 0; i < ARGS; i++) {
		const char *t = strtok_r(0, ":", &save);

		a[i] = t ? strtoull(t, 0, 10) : 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			result = commands[i].run(a, text, sizeof(text));
	log_info("@%d %s: %lld%s", client.number++, shown, (long long)result, text);
}

static err_t client_init(const struct sef_init_info *info)
{
	err_t r = ds_retrieve_label_endpt(client.label, &client.driver);

	(void)info;
	if (r != 0)
		return r;
	client.buffer = mmap(0, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	storm.x = sys_uptime();
	for (int i = 2; i < client.argc; i++)
		command_run(client.argv[i]);
	log_info("@end");
	return 0;
}

int main(int argc, char **argv)
{
	struct message m;

	client.label = argc > 1 ? argv[1] : "ramdisk";
	client.argc = argc;
	client.argv = argv;
	sef_startup(&(struct sef_callbacks){ .init_fresh = client_init, .signal_handler = sef_signal_term });
	for (;;)
		sef_receive(EP_ANY, &m, 0);
}
