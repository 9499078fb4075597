/*
 * queue.c - bytes on their way out or in, contiguous.
 */
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { QUEUE_BYTES_MIN = 16 * 1024 };

static void move_to_front(struct queue *queue)
{
    if (queue->from == 0)
        return;
    memmove(queue->data, queue->data + queue->from, queue_waiting(queue));
    queue->size -= queue->from;
    queue->from = 0;
}

char *shoal_queue_room(struct queue *queue, size_t n)
{
    if (queue->capacity - queue->size >= n)
        return queue->data + queue->size;
    /* Only when at least half is waste, so that moving is paid for by what was taken. */
    if (queue->from >= queue->capacity / 2)
        move_to_front(queue);
    if (queue->capacity - queue->size >= n)
        return queue->data + queue->size;
    size_t capacity = queue->capacity * 2 > QUEUE_BYTES_MIN ? queue->capacity * 2 : QUEUE_BYTES_MIN;
    if (capacity < queue->size + n)
        capacity = queue->size + n;
    char *data = realloc(queue->data, capacity);
    if (data == NULL)
        return NULL;
    queue->data = data;
    queue->capacity = capacity;
    return data + queue->size;
}

void shoal_queue_take(struct queue *queue, size_t n)
{
    queue->from += n;
    if (queue->from == queue->size)
        queue->from = queue->size = 0;
}
