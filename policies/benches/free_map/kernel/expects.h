/*
 * What a kernel's lib/bitmap.c, lib/find_bit.c and include/linux/find.h expect of the rest of it,
 * in our own words, for a little-endian 64-bit host. Included in front of both C files, whose own
 * includes are empty.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(long) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "x86_64, arm64");

#define __LITTLE_ENDIAN 1234
#define __LINUX_BITMAP_H /* find.h wants to come by way of bitmap.h */
#define BITS_PER_LONG 64
#define EXPORT_SYMBOL(name)
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

#define min(a, b) ({ __typeof__(a) x_ = (a); __typeof__(b) y_ = (b); x_ < y_ ? x_ : y_; })
#define round_down(value, unit) ((value) & ~((__typeof__(value))(unit) - 1))
#define __ALIGN_MASK(value, mask) (((value) + (mask)) & ~(mask))

#define BIT_WORD(bit) ((bit) / BITS_PER_LONG)
#define BITMAP_FIRST_WORD_MASK(start) (~0UL << ((start) % BITS_PER_LONG))
#define BITMAP_LAST_WORD_MASK(bits) (~0UL >> (-(bits) % BITS_PER_LONG))
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define small_const_nbits(bits) \
	(__builtin_constant_p(bits) && (bits) <= BITS_PER_LONG && (bits) > 0)

#define __ffs(word) ((unsigned long)__builtin_ctzl(word))
#define __fls(word) (63UL - __builtin_clzl(word))
#define ffz(word) __ffs(~(word))
#define hweight_long(word) ((unsigned long)__builtin_popcountl(word))
#define swab(word) __builtin_bswap64(word)

#include FIND_H
