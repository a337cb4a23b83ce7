#!/usr/bin/env bash
# Guess:     of a CMA area whose bitmap has a bit for several pages (order_per_bit above 0) a driver may
#            give back a buffer in parts with `cma_release()`: a bit stays set as long as one of its pages
#            is held, and the bitmap in debugfs never shows held pages as free.
# Version:   Linux 6.1.192 (Debian's linux-source-6.1 6.1.192-3), mm/cma.c and lib/bitmap.c as they are.
# Behaviour: `cma_clear_bitmap()` rounds the pages of the part up to whole bits, from the bit of its first
#            page on, and clears them: 5 of 15 pages in one bit clear it, and 10 pages are held under a bit
#            that says free. A request over them is busy; the 5 may be granted again, and the end of the
#            other 10 then clears the bit of that grant.
# Seen:      the output below. Fails where that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod a+rx "$work"
cd "$work"
apt-get download -qq linux-source-6.1=6.1.192-3
dpkg -x linux-source-6.1_*.deb .
tar -xf usr/src/linux-source-6.1.tar.xz linux-source-6.1/{mm/cma.c,lib/bitmap.c}
# The text of function $1 of file $2: from the line that names it (or the one before) to its closing
# brace.
function_of() {
    awk -v name="$1" '
        $0 ~ "^[a-z].*[ *]" name "\\(" { on = 1 }
        on { print }
        on && /^}/ { exit }' "linux-source-6.1/$2"
}
{
    cat <<'C'
#include <stdio.h>
#define BITS_PER_LONG 64
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)
#define BITMAP_FIRST_WORD_MASK(start) (~0UL << ((start) & (BITS_PER_LONG - 1)))
#define BITMAP_LAST_WORD_MASK(nbits) (~0UL >> (-(nbits) & (BITS_PER_LONG - 1)))
#define ALIGN(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define spin_lock_irqsave(lock, flags) ((void)(flags = 0))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags))
#define bitmap_set __bitmap_set
#define bitmap_clear __bitmap_clear
struct cma { unsigned long base_pfn, *bitmap; unsigned int order_per_bit; };
C
    function_of __bitmap_set lib/bitmap.c
    function_of __bitmap_clear lib/bitmap.c
    function_of cma_bitmap_pages_to_bits mm/cma.c
    function_of cma_clear_bitmap mm/cma.c
    cat <<'C'
int main(void)
{
    unsigned long map[1] = { 0 };
    struct cma cma = { .base_pfn = 0x1000, .bitmap = map, .order_per_bit = 4 };

    bitmap_set(map, 0, cma_bitmap_pages_to_bits(&cma, 15));
    printf("15 pages granted: bitmap %lx\n", map[0]);
    cma_clear_bitmap(&cma, 0x1000, 5);
    printf("5 of them given back, 10 are held: bitmap %lx\n", map[0]);
    bitmap_set(map, 0, cma_bitmap_pages_to_bits(&cma, 5));
    printf("another claim marks the 5 again: bitmap %lx\n", map[0]);
    cma_clear_bitmap(&cma, 0x1005, 10);
    printf("the 10 given back: bitmap %lx\n", map[0]);
    return 0;
}
C
} >part.c
cc -o part part.c
./part | tee seen.txt
diff seen.txt - <<'SEEN'
15 pages granted: bitmap 1
5 of them given back, 10 are held: bitmap 0
another claim marks the 5 again: bitmap 1
the 10 given back: bitmap 0
SEEN
