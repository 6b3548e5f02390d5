/* Second-order sections in scipy's order of operations; the reference is scipy.signal.sosfilt. */
#include "kernels.h"

enum { MAX_SECTIONS = 4, MAX_WIDTH = 4 };

/* One sample through one section: b0 b1 b2 1 a1 a2, as scipy stores them. */
#define SECTION(type, x, sos, z0, z1) { \
    type y = (sos)[0] * (x) + (z0); \
    (z0) = (sos)[1] * (x) - (sos)[4] * y + (z1); \
    (z1) = (sos)[2] * (x) - (sos)[5] * y; \
    (x) = y; }

typedef struct { double sos[MAX_SECTIONS][6], z0[MAX_SECTIONS], z1[MAX_SECTIONS]; } sections;

static inline void load(sections *f, const double *sos, const double *state, int count) {
    for (int s = 0; s < count; s++) {
        memcpy(f->sos[s], sos + 6 * s, sizeof f->sos[s]);
        f->z0[s] = state[2 * s];
        f->z1[s] = state[2 * s + 1];
    }
}

static inline void store(const sections *f, double *state, int count) {
    for (int s = 0; s < count; s++) {
        state[2 * s] = f->z0[s];
        state[2 * s + 1] = f->z1[s];
    }
}

/* One filter; unrolled, since `count` is a constant wherever this is called. */
static inline void run_one(const double *restrict x, int64_t n, const double *sos, double *state,
                           double *restrict y, int count) {
    sections f;
    load(&f, sos, state, count);
    for (int64_t i = 0; i < n; i++) {
        double v = x[i];
        for (int s = 0; s < count; s++) SECTION(double, v, f.sos[s], f.z0[s], f.z1[s])
        y[i] = v;
    }
    store(&f, state, count);
}

/* Two filters of the same samples side by side in one register; the second may have fewer sections,
 * and is then continued by sections that pass their input.
 */
typedef double pair __attribute__((vector_size(16)));

static inline void run_two(const double *restrict x, int64_t n, const double *sos_a,
                           double *state_a, double *restrict y_a, const double *sos_b,
                           double *state_b, double *restrict y_b, int count_b) {
    static const double through[6] = {1, 0, 0, 1, 0, 0};
    pair sos[MAX_SECTIONS][6], z0[MAX_SECTIONS], z1[MAX_SECTIONS];
    for (int s = 0; s < MAX_SECTIONS; s++) {
        const double *b = s < count_b ? sos_b + 6 * s : through;
        for (int k = 0; k < 6; k++) sos[s][k] = (pair){sos_a[6 * s + k], b[k]};
        z0[s] = (pair){state_a[2 * s], s < count_b ? state_b[2 * s] : 0};
        z1[s] = (pair){state_a[2 * s + 1], s < count_b ? state_b[2 * s + 1] : 0};
    }
    for (int64_t i = 0; i < n; i++) {
        pair v = {x[i], x[i]};
        for (int s = 0; s < MAX_SECTIONS; s++) SECTION(pair, v, sos[s], z0[s], z1[s])
        y_a[i] = v[0];
        y_b[i] = v[1];
    }
    for (int s = 0; s < MAX_SECTIONS; s++) {
        state_a[2 * s] = z0[s][0];
        state_a[2 * s + 1] = z1[s][0];
        if (s < count_b) {
            state_b[2 * s] = z0[s][1];
            state_b[2 * s + 1] = z1[s][1];
        }
    }
}

/* Columns side by side: x and y of n rows of `width`, state of sections x 2 x width. */
static inline void run_columns(const double *restrict x, int64_t n, int width, const double *sos,
                               double *restrict state, double *restrict y, int count) {
    for (int64_t i = 0; i < n; i++) {
        double v[MAX_WIDTH];
        for (int w = 0; w < width; w++) v[w] = x[i * width + w];
        for (int s = 0; s < count; s++) {
            double *z = state + 2 * s * width;
            for (int w = 0; w < width; w++) SECTION(double, v[w], sos + 6 * s, z[w], z[width + w])
        }
        for (int w = 0; w < width; w++) y[i * width + w] = v[w];
    }
}

/* Returns 0, or -1 if there is no kernel for so many sections or columns. */
EXPORT int64_t ts_filter(const double *x, int64_t n, int64_t width, const double *sos,
                         int64_t count, double *state, double *y) {
    if (width == 1) {
        switch (count) {
        case 1: run_one(x, n, sos, state, y, 1); return 0;
        case 2: run_one(x, n, sos, state, y, 2); return 0;
        case 3: run_one(x, n, sos, state, y, 3); return 0;
        case 4: run_one(x, n, sos, state, y, 4); return 0;
        default: return -1;
        }
    }
    if (width == 3) {
        switch (count) {
        case 1: run_columns(x, n, 3, sos, state, y, 1); return 0;
        case 3: run_columns(x, n, 3, sos, state, y, 3); return 0;
        default: return -1;
        }
    }
    return -1;
}

/* Filters of four sections and of at most four over the same samples. */
EXPORT void ts_filter_pair(const double *x, int64_t n, const double *sos_a, double *state_a,
                           double *y_a, const double *sos_b, int64_t count_b, double *state_b,
                           double *y_b) {
    run_two(x, n, sos_a, state_a, y_a, sos_b, state_b, y_b, (int)count_b);
}
