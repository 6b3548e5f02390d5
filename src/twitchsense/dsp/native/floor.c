/* Noise floors of the seconds of an envelope; the reference is twitchsense/dsp/floor_memory.py. */
#include "kernels.h"

enum { FALL = 5, SERIES = 2, MEMORIES = 2 };

/* Mirrored by `_FloorState` in floor.py. */
typedef struct {
    int64_t n_series, n_memories, seen; /* seen: seconds that entered the memories */
    int64_t window[MEMORIES];
    double quantile[MEMORIES], least[SERIES];
    double flat, mad_to_sd, much_lower;
} floors;

EXPORT int64_t ts_floor_size(void) { return (int64_t)sizeof(floors); }

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

/* Median of the distances from the median of n sorted values, NaN last. To either side of the
 * middle they ascend: of the `taken` smallest, `left` lie before it, which is found by bisection.
 */
static double median_deviation(const double *x, int64_t n, double median) {
    int64_t before = (n + 1) / 2, taken = n / 2 + 1; /* values before the middle, values taken */
    int64_t low = greatest(0, taken - (n - before)), high = least(taken, before);
    double last[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    if (!isfinite(median)) { /* the distances are infinite or NaN, in this order */
        int64_t infinite = 0;
        for (int64_t i = 0; i < n; i++) infinite += !isnan(x[i] - median);
        return (((n - 1) / 2 < infinite ? INFINITY : NAN) + (n / 2 < infinite ? INFINITY : NAN)) / 2;
    }
    while (low < high) {
        int64_t left = (low + high) / 2, right = taken - left - 1;
        if (precedes(median - x[before - 1 - left], x[before + right] - median)) low = left + 1;
        else high = left;
    }
    for (int64_t k = 0; k < 2; k++) { /* the last ones of either side, in ascending order */
        if (k < low) insert(last, 2 * k, median - x[before - low + k]);
        else insert(last, 2 * k, -INFINITY);
        if (k < taken - low) insert(last, 2 * k + 1, x[before + taken - low - 1 - k] - median);
        else insert(last, 2 * k + 1, -INFINITY);
    }
    return (n % 2 ? last[3] + last[3] : last[2] + last[3]) / 2;
}

/* Takes a value into a memory of `window` values, of which `count` have been seen. `sorted` has
 * room for one more; `recent` is a ring.
 */
static void remember(double *sorted, double *recent, int64_t window, int64_t count, double value) {
    double *oldest = recent + count % window;
    insert(sorted, least(count, window), value);
    if (count >= window) take_out(sorted, window + 1, *oldest);
    *oldest = value;
}

/* FloorMemory._floors after `count` values */
static double floor_of(const double *sorted, const double *recent, int64_t window, int64_t count,
                       double quantile, double much_lower) {
    int64_t n = least(count, window);
    double low = n ? sorted[(int64_t)(quantile * (double)(n - 1))] : 0.0, last[FALL];
    if (count < FALL) return low;
    for (int64_t k = 0; k < FALL; k++) insert(last, k, recent[(count - 1 - k) % window]);
    return last[FALL / 2] < much_lower * low ? last[FALL / 2] : low;
}

/* rows: n_seconds rows of n values in ascending order. kept: for each memory and series a row of
 * `room` sorted and one of `room` recent values; room > window. medians: of the seconds; out: the
 * floors after each second, a row for each memory and series.
 */
EXPORT void ts_floors(floors *s, const double *rows, int64_t n_seconds, int64_t n, int64_t room,
                      double *kept, double *medians, double *out) {
    for (int64_t i = 0; i < n_seconds; i++, rows += n) {
        double values[SERIES], median = (rows[(n - 1) / 2] + rows[n / 2]) / 2;
        int alive = median > s->flat;
        medians[i] = values[0] = median;
        if (s->n_series > 1 && alive)
            values[1] = s->mad_to_sd * median_deviation(rows, n, median);
        for (int64_t m = 0; m < s->n_memories; m++)
            for (int64_t k = 0; k < s->n_series; k++) {
                int64_t at = m * s->n_series + k, window = s->window[m];
                double *sorted = kept + 2 * at * room, *recent = sorted + room;
                if (alive) remember(sorted, recent, window, s->seen, values[k]);
                double low = floor_of(sorted, recent, window, s->seen + alive, s->quantile[m],
                                      s->much_lower);
                out[at * n_seconds + i] = low < s->least[k] ? s->least[k] : low;
            }
        s->seen += alive;
    }
}
