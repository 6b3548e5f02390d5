/* Dynamic acceleration, reduced to hops and seconds in the same pass; the reference is
 * twitchsense/dsp/acc_motion.py.
 */
#include "sections.h"

enum { MAX_AXES = 3 };

/* Mirrored by `_MotionState` in motion.py. */
typedef struct {
    double sos[6 * MAX_SECTIONS], filter[2 * MAX_SECTIONS * MAX_AXES];
    double fs, last[MAX_AXES];           /* last: dynamic acceleration of the sample before */
    int64_t sections, hop, second, begun; /* begun: there is a sample before */
    int64_t hop_count;
    double hop_magnitude, hop_rate;
    int64_t seen; /* of the unfinished second: samples, largest and summed magnitude, axes */
    double largest, total, low[MAX_AXES], high[MAX_AXES], sum[MAX_AXES];
} motion;

EXPORT int64_t ts_motion_size(void) { return sizeof(motion); }

static double norm(const double *x, int width) {
    double sum = x[0] * x[0];
    for (int w = 1; w < width; w++) sum += x[w] * x[w];
    return sqrt(sum);
}

/* Largest and mean magnitude, greatest range of an axis, mean of each axis. */
static void finish_second(motion *m, int width, double *out) {
    out[0] = m->largest;
    out[1] = m->total / (double)m->seen;
    out[2] = m->high[0] - m->low[0];
    for (int w = 0; w < width; w++) {
        double range = m->high[w] - m->low[w];
        if (range > out[2]) out[2] = range;
        out[3 + w] = m->sum[w] / (double)m->seen;
    }
    m->seen = 0;
}

/* Takes a sample and its magnitude into the unfinished second. */
static inline void observe(motion *m, const double *x, double magnitude, int width) {
    int first = m->seen++ == 0;
    m->largest = first || magnitude > m->largest ? magnitude : m->largest;
    m->total = first ? magnitude : m->total + magnitude;
    for (int w = 0; w < width; w++) {
        m->low[w] = first || x[w] < m->low[w] ? x[w] : m->low[w];
        m->high[w] = first || x[w] > m->high[w] ? x[w] : m->high[w];
        m->sum[w] = first ? x[w] : m->sum[w] + x[w];
    }
}

static inline void push(motion *state, const double *restrict x, int64_t n, int width,
                        int sections, double *restrict dynamic, double *restrict magnitudes,
                        double *restrict rates, double *seconds, int64_t *made) {
    motion s = *state, *m = &s; /* in registers while this runs */
    made[0] = made[1] = 0;
    for (int64_t i = 0; i < n; i++) {
        double v[MAX_AXES], step[MAX_AXES];
        for (int w = 0; w < width; w++) v[w] = x[i * width + w];
        for (int k = 0; k < sections; k++) {
            double *z = m->filter + 2 * k * width;
            for (int w = 0; w < width; w++)
                SECTION(double, v[w], m->sos + 6 * k, z[w], z[width + w])
        }
        for (int w = 0; w < width; w++) {
            dynamic[i * width + w] = v[w];
            step[w] = m->begun ? v[w] - m->last[w] : 0.0;
            m->last[w] = v[w];
        }
        m->begun = 1;
        double magnitude = norm(v, width), rate = norm(step, width) * m->fs;
        observe(m, x + i * width, magnitude, width);
        if (m->seen == m->second) finish_second(m, width, seconds + (3 + width) * made[1]++);
        int first = m->hop_count++ == 0;
        m->hop_magnitude = first || magnitude > m->hop_magnitude ? magnitude : m->hop_magnitude;
        m->hop_rate = first || rate > m->hop_rate ? rate : m->hop_rate;
        if (m->hop_count == m->hop) {
            magnitudes[made[0]] = m->hop_magnitude;
            rates[made[0]++] = m->hop_rate;
            m->hop_count = 0;
        }
    }
    *state = s;
}

/* x, dynamic: n rows of `width`. Room for n / hop + 1 magnitudes and rates and n / second + 1 rows
 * of seconds; made: how many of both. Returns -1 if there is no kernel for the width.
 */
EXPORT int64_t ts_motion_push(motion *m, const double *x, int64_t n, int64_t width,
                              double *dynamic, double *magnitudes, double *rates, double *seconds,
                              int64_t *made) {
    int sections = (int)m->sections;
    if (sections == 3 && width == 3)
        push(m, x, n, 3, 3, dynamic, magnitudes, rates, seconds, made);
    else if (1 <= width && width <= MAX_AXES)
        push(m, x, n, (int)width, sections, dynamic, magnitudes, rates, seconds, made);
    else
        return -1;
    return 0;
}

/* The unfinished second, if it has samples; returns their number. */
EXPORT int64_t ts_motion_close(motion *m, int64_t width, double *second) {
    int64_t count = m->seen;
    if (count) finish_second(m, (int)width, second);
    return count;
}
