/* The layout tables as compile-time checks, in C and in C++. Compiled with the current header and,
 * without the part for 0.2, with the frozen one: the build fails when a field moves or changes its
 * size.
 */
#ifndef UNIVAL_TESTS_ABI_LAYOUT_CHECKS_H_
#define UNIVAL_TESTS_ABI_LAYOUT_CHECKS_H_

#ifdef __cplusplus
#define UNIVAL_STATIC_ASSERT static_assert
#else
#define UNIVAL_STATIC_ASSERT _Static_assert
#endif

#define FIELD(type, field, offset, size)                                                  \
  UNIVAL_STATIC_ASSERT(offsetof(type, field) == (offset), #type "." #field " has moved"); \
  UNIVAL_STATIC_ASSERT(sizeof(((type*)0)->field) == (size), #type "." #field " has another size");
#define SIZE(type, size) UNIVAL_STATIC_ASSERT(sizeof(type) == (size), #type " has another size");

#include "tests/abi/layout_v0_1.inc"
#if UNIVAL_ABI_MINOR >= 2
#include "tests/abi/layout_v0_2.inc"
#endif

#endif /* UNIVAL_TESTS_ABI_LAYOUT_CHECKS_H_ */
