/* Second-order sections in scipy's order of operations; the reference is scipy.signal.sosfilt. */
#ifndef TWITCHSENSE_SECTIONS_H
#define TWITCHSENSE_SECTIONS_H

#include "kernels.h"

enum { MAX_SECTIONS = 4 };

/* One sample through one section: b0 b1 b2 1 a1 a2, as scipy stores them. */
#define SECTION(type, x, sos, z0, z1) { \
    type y = (sos)[0] * (x) + (z0); \
    (z0) = (sos)[1] * (x) - (sos)[4] * y + (z1); \
    (z1) = (sos)[2] * (x) - (sos)[5] * y; \
    (x) = y; }

/* Two filters side by side in one register; missing sections pass their input. */
typedef double pair __attribute__((vector_size(16)));
typedef struct { pair sos[MAX_SECTIONS][6], z0[MAX_SECTIONS], z1[MAX_SECTIONS]; } pair_sections;

static inline void load_pair(pair_sections *f, const double *sos_a, const double *state_a,
                             int count_a, const double *sos_b, const double *state_b,
                             int count_b) {
    static const double through[6] = {1, 0, 0, 1, 0, 0}, rest[2] = {0, 0};
    for (int s = 0; s < MAX_SECTIONS; s++) {
        const double *a = s < count_a ? sos_a + 6 * s : through;
        const double *b = s < count_b ? sos_b + 6 * s : through;
        const double *za = s < count_a ? state_a + 2 * s : rest;
        const double *zb = s < count_b ? state_b + 2 * s : rest;
        for (int k = 0; k < 6; k++) f->sos[s][k] = (pair){a[k], b[k]};
        f->z0[s] = (pair){za[0], zb[0]};
        f->z1[s] = (pair){za[1], zb[1]};
    }
}

static inline void store_pair(const pair_sections *f, double *state_a, int count_a,
                              double *state_b, int count_b) {
    for (int s = 0; s < MAX_SECTIONS; s++) {
        if (s < count_a) {
            state_a[2 * s] = f->z0[s][0];
            state_a[2 * s + 1] = f->z1[s][0];
        }
        if (s < count_b) {
            state_b[2 * s] = f->z0[s][1];
            state_b[2 * s + 1] = f->z1[s][1];
        }
    }
}

#endif
