/* Low quantile of the seconds before each second; the reference is twitchsense/dsp/floor_memory.py. */
#include "kernels.h"

enum { FALL = 5 };

/* The order of numpy.sort: NaN, which overflow may leave, is larger than every number. With a
 * comparison that is false for NaN, a value could not be found again.
 */
static int precedes(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

/* Index of the first of n sorted values that is not smaller. */
static int64_t place(const double *sorted, int64_t n, double value) {
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (precedes(sorted[middle], value)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void insert(double *sorted, int64_t n, double value) {
    int64_t at = place(sorted, n, value);
    memmove(sorted + at + 1, sorted + at, (size_t)(n - at) * sizeof(double));
    sorted[at] = value;
}

static void take_out(double *sorted, int64_t n, double value) {
    int64_t at = place(sorted, n, value);
    memmove(sorted + at, sorted + at + 1, (size_t)(n - at - 1) * sizeof(double));
}

/* memory: `before` values (at most `window`), of which `sorted` holds the same in ascending order,
 * then new ones. counts: how many new ones precede each time, ascending; at the last time all.
 * `sorted` has room for window + 1 and holds the last values afterwards.
 */
static void rolling_floor(const double *memory, int64_t before, const int64_t *counts,
                          int64_t n_times, int64_t window, double quantile, double much_lower,
                          double *sorted, double *out) {
    int64_t n = before, stop = before; /* sorted holds memory[stop - n:stop] */
    double last[FALL];
    for (int64_t i = 0; i < n_times; i++) {
        for (; stop < before + counts[i]; stop++) {
            insert(sorted, n++, memory[stop]);
            if (n > window) take_out(sorted, n--, memory[stop - window]);
        }
        double low = n ? sorted[(int64_t)(quantile * (double)(n - 1))] : 0.0;
        if (stop >= FALL) {
            for (int64_t k = 0; k < FALL; k++) insert(last, k, memory[stop - FALL + k]);
            double recent = last[FALL / 2];
            if (recent < much_lower * low) low = recent;
        }
        out[i] = low;
    }
}

/* Rows of `memory`, `sorted` and `out` are series. Returns -1 if the counts do not fit. */
EXPORT int64_t ts_rolling_floor(const double *memory, int64_t n_series, int64_t before,
                                int64_t added, const int64_t *counts, int64_t n_times,
                                int64_t window, double quantile, double much_lower, double *sorted,
                                double *out) {
    int64_t known = 0;
    for (int64_t i = 0; i < n_times; i++) {
        if (counts[i] < known) return -1;
        known = counts[i];
    }
    if (known != added) return -1;
    for (int64_t k = 0; k < n_series; k++)
        rolling_floor(memory + k * (before + added), before, counts, n_times, window, quantile,
                      much_lower, sorted + k * (window + 1), out + k * n_times);
    return 0;
}
