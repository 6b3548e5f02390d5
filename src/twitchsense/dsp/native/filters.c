/* Second-order sections in scipy's order of operations; the reference is scipy.signal.sosfilt. */
#include "sections.h"

enum { MAX_WIDTH = 4 };

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
