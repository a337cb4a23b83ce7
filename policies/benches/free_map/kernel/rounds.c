/*
 * Runs the steady ops of a file on a kernel's own bitmap functions, once for each line of standard
 * input, and prints the nanoseconds, how many were granted and the sum over their places: the same
 * sum as the benchmark's `run`.
 *
 * The file, 64-bit words of this host: bits of the area, ids, first bit and bits of each id's
 * buffer (0 bits: none), ops, and id, bits and mask of each op (0 bits: a free).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

unsigned long bitmap_find_next_zero_area_off(unsigned long *map, unsigned long size,
					     unsigned long start, unsigned int nr,
					     unsigned long align_mask, unsigned long align_offset);
void __bitmap_set(unsigned long *map, unsigned int start, int len);
void __bitmap_clear(unsigned long *map, unsigned int start, int len);

struct run { unsigned long start, count; };
struct op { unsigned long id, count, mask; };
struct granted { unsigned long count, places; };

static unsigned long rotate_left(unsigned long word, unsigned int by)
{
	return word << by | word >> (-by % 64);
}

static struct granted run(unsigned long *map, unsigned long bits, struct run *live,
			  const struct op *ops, size_t count)
{
	struct granted granted = { 0, 0 };

	for (const struct op *op = ops; op < ops + count; op++) {
		struct run *own = live + op->id;

		if (op->count) {
			unsigned long start = bitmap_find_next_zero_area_off(map, bits, 0, op->count,
									     op->mask, 0);

			own->count = 0;
			if (start >= bits)
				continue;
			__bitmap_set(map, start, op->count);
			granted.places ^= rotate_left(start, granted.count++ % 64);
			*own = (struct run){ start, op->count };
		} else if (own->count) {
			__bitmap_clear(map, own->start, own->count);
			own->count = 0;
		}
	}
	return granted;
}

static void *read_words(FILE *from, size_t words)
{
	unsigned long *into = malloc(words * sizeof *into + 1);

	if (!into || fread(into, sizeof *into, words, from) != words)
		exit(2);
	return into;
}

static size_t read_one(FILE *from)
{
	unsigned long *word = read_words(from, 1), value = *word;

	free(word);
	return value;
}

static long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

int main(int argc, char **argv)
{
	FILE *from = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!from)
		return 2;

	size_t bits = read_one(from), words = (bits + 63) / 64, ids = read_one(from);
	struct run *before = read_words(from, 2 * ids);
	size_t count = read_one(from);
	struct op *ops = read_words(from, 3 * count);

	while (getchar() == '\n') {
		unsigned long *map = calloc(words, sizeof *map);
		struct run *live = malloc(ids * sizeof *live + 1);

		if (!map || !live)
			return 2;
		memcpy(live, before, ids * sizeof *live);
		for (size_t id = 0; id < ids; id++)
			if (live[id].count)
				__bitmap_set(map, live[id].start, live[id].count);

		long start = nanoseconds();
		struct granted granted = run(map, bits, live, ops, count);
		long took = nanoseconds() - start;

		printf("%ld %lu %lu\n", took, granted.count, granted.places);
		fflush(stdout);
		free(map);
		free(live);
	}
	return 0;
}
