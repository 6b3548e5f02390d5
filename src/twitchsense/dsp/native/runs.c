/* Runs above two thresholds; the reference is twitchsense/dsp/hysteresis.py. */
#include "kernels.h"

/* Mirrored by the array `_state` of native/runs.py. */
enum { COUNT, START, STOP, OPENED }; /* values seen; the unfinished run (start -1: none) */

/* low, high: thresholds of n_pieces pieces of x, whose lengths add up to n. active: n values.
 * Room for n / 2 + 2 runs. Returns their number, or -1 if the lengths do not fit.
 */
EXPORT int64_t ts_hysteresis(const double *x, int64_t n, const int64_t *lengths, const double *low,
                             const double *high, int64_t n_pieces, int64_t bridge, int64_t *state,
                             uint8_t *active, int64_t *starts, int64_t *stops) {
    int64_t found = 0, total = 0, i = 0;
    for (int64_t p = 0; p < n_pieces; p++) {
        if (lengths[p] < 0 || lengths[p] > n - total) return -1;
        total += lengths[p];
    }
    if (total != n) return -1;
    int64_t start = state[START], stop = state[STOP], opened = state[OPENED], at = state[COUNT];
    for (int64_t p = 0; p < n_pieces; p++) {
        for (int64_t end = i + lengths[p]; i < end; i++, at++) {
            active[i] = x[i] > low[p];
            if (!active[i]) continue;
            if (start >= 0 && at - stop > bridge) {
                if (opened) starts[found] = start, stops[found++] = stop;
                start = -1;
            }
            if (start < 0) start = at, opened = 0;
            stop = at + 1;
            opened |= x[i] > high[p];
        }
    }
    if (start >= 0 && at - stop > bridge) {
        if (opened) starts[found] = start, stops[found++] = stop;
        start = -1;
    }
    state[COUNT] = at;
    state[START] = start;
    state[STOP] = stop;
    state[OPENED] = opened;
    return found;
}
