/*
 * list.h - a first-in, first-out list through a member of its elements.
 *
 * The list owns nothing and allocates nothing; an element is in at most one list for each such
 * member. All zero is an empty list, and `last` means something only while `first` is not NULL.
 * These are macros because the elements keep their types. Thread: owner.
 */
#ifndef SHOAL_BASE_LIST_H
#define SHOAL_BASE_LIST_H

#include <stddef.h>

/* The head of a list of `type`. */
#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        type *first, *last;                                                                        \
    }

/* Puts `element` at the end; `link` is the name of the member that leads to the next one. */
#define list_add(list, element, link)                                                              \
    do {                                                                                           \
        __auto_type list_ = (list);                                                                \
        __auto_type element_ = (element);                                                          \
        element_->link = NULL;                                                                     \
        if (list_->first == NULL)                                                                  \
            list_->first = element_;                                                               \
        else                                                                                       \
            list_->last->link = element_;                                                          \
        list_->last = element_;                                                                    \
    } while (0)

/* Puts it before all others. */
#define list_add_first(list, element, link)                                                        \
    do {                                                                                           \
        __auto_type list_ = (list);                                                                \
        __auto_type element_ = (element);                                                          \
        element_->link = list_->first;                                                             \
        if (list_->first == NULL)                                                                  \
            list_->last = element_;                                                                \
        list_->first = element_;                                                                   \
    } while (0)

/* Takes the first element out; NULL when there is none. */
#define list_take(list, link)                                                                      \
    ({                                                                                             \
        __auto_type list_ = (list);                                                                \
        __auto_type element_ = list_->first;                                                       \
        if (element_ != NULL)                                                                      \
            list_->first = element_->link;                                                         \
        element_;                                                                                  \
    })

#endif
