/* What the kernels of the compiled engine share.
 *
 * Every kernel gives the same bits as the numpy and scipy code that it replaces. Therefore:
 * IEEE double precision, sums in the order of the samples, no contraction to fused multiply-add
 * (-ffp-contract=off), no functions of the mathematics library but those that IEEE rounds
 * correctly (sqrt, rint, floor). A kernel allocates nothing, keeps nothing and trusts the sizes
 * that its Python wrapper has checked.
 */
#ifndef TWITCHSENSE_KERNELS_H
#define TWITCHSENSE_KERNELS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Compiled two or three times (x86-64-v4: AVX-512); the processor decides at load which one runs.
 * Wider registers change no bit.
 */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) \
    && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#if __GNUC__ >= 12
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define WIDE __attribute__((target_clones("avx2", "default")))
#endif
#else
#define WIDE
#endif

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t greatest(int64_t a, int64_t b) { return a > b ? a : b; }

#endif
