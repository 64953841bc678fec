#include "ktest_rs.h"
__attribute__((weak)) void check_async(void) {}
__attribute__((weak)) void check_death(void) {}
__attribute__((weak)) void check_kcalls(void) {}
__attribute__((weak)) void check_memory(void) {}
__attribute__((weak)) void check_grants(void) {}
__attribute__((weak)) void check_futex(void) {}
__attribute__((weak)) void check_signals(void) {}
__attribute__((weak)) void check_time(void) {}
__attribute__((weak)) void check_routes(void) {}
__attribute__((weak)) void check_info(void) {}
__attribute__((weak)) void check_stale_tlb(void) {}
__attribute__((weak)) void measure(void) {}
