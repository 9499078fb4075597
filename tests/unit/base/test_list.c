/*
 * test_list.c - first in, first out; empty again when all are taken; container_of.
 */
#include "shoal/base/container_of.h"
#include "shoal/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct element {
    int value;
    struct element *next, *other_next;
};

static void it_gives_back_in_order(void **state)
{
    (void)state;
    LIST_OF(struct element) list = { 0 };
    struct element elements[3] = { { .value = 0 }, { .value = 1 }, { .value = 2 } };
    assert_null(list_take(&list, next));
    for (int i = 0; i < 3; i++)
        list_add(&list, &elements[i], next);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(list_take(&list, next), &elements[i]);
    assert_null(list_take(&list, next));
}

static void it_can_be_used_again_when_empty(void **state)
{
    (void)state;
    LIST_OF(struct element) list = { 0 };
    struct element one = { .value = 1 }, two = { .value = 2 };
    list_add(&list, &one, next);
    assert_ptr_equal(list_take(&list, next), &one);
    list_add(&list, &two, next);
    assert_ptr_equal(list.first, &two);
    assert_ptr_equal(list.last, &two);
    assert_ptr_equal(list_take(&list, next), &two);
    assert_null(list.first);
}

static void one_can_be_put_before_the_others(void **state)
{
    (void)state;
    LIST_OF(struct element) list = { 0 };
    struct element one = { .value = 1 }, two = { .value = 2 }, three = { .value = 3 };
    list_add_first(&list, &two, next);
    list_add_first(&list, &one, next);
    list_add(&list, &three, next);
    assert_ptr_equal(list_take(&list, next), &one);
    assert_ptr_equal(list_take(&list, next), &two);
    assert_ptr_equal(list_take(&list, next), &three);
    assert_null(list_take(&list, next));
}

static void an_element_is_in_one_list_for_each_link(void **state)
{
    (void)state;
    LIST_OF(struct element) here = { 0 }, there = { 0 };
    struct element one = { .value = 1 }, two = { .value = 2 };
    list_add(&here, &one, next);
    list_add(&here, &two, next);
    list_add(&there, &two, other_next);
    list_add(&there, &one, other_next);
    assert_ptr_equal(list_take(&here, next), &one);
    assert_ptr_equal(list_take(&there, other_next), &two);
    assert_ptr_equal(here.first, &two);
    assert_ptr_equal(there.first, &one);
}

static void a_member_leads_to_its_struct(void **state)
{
    (void)state;
    struct element element = { .value = 7 };
    struct element **link = &element.other_next;
    assert_ptr_equal(container_of(link, struct element, other_next), &element);
    assert_int_equal(container_of(link, struct element, other_next)->value, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_back_in_order),
        cmocka_unit_test(it_can_be_used_again_when_empty),
        cmocka_unit_test(one_can_be_put_before_the_others),
        cmocka_unit_test(an_element_is_in_one_list_for_each_link),
        cmocka_unit_test(a_member_leads_to_its_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
