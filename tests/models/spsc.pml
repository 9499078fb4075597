/*
 * spsc.pml - the queue of include/shoal/base/spsc.h: slots are read as they were written, in order.
 *
 *   -DEARLY_TAIL   planted: the tail is published before the slot is written
 *   -DEARLY_HEAD   planted: the head is released before the slot is read
 */
#define CAPACITY 2
#define ITEMS 6

byte slot[CAPACITY];
byte tail, head; /* count on; shared */

active proctype producer()
{
    byte i;
    for (i : 1 .. ITEMS) {
        tail - head < CAPACITY;
#ifdef EARLY_TAIL
        tail++;
        slot[(tail - 1) % CAPACITY] = i;
#else
        slot[tail % CAPACITY] = i;
        tail++;
#endif
    }
}

active proctype consumer()
{
    byte i, item;
    for (i : 1 .. ITEMS) {
        tail != head;
#ifdef EARLY_HEAD
        head++;
        item = slot[(head - 1) % CAPACITY];
#else
        item = slot[head % CAPACITY];
        head++;
#endif
        assert(item == i);
    }
}
