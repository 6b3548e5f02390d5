/* Activity around a burst; the reference is twitchsense/detect/features/local.py. */
#include "kernels.h"

enum { BLOCK = 32 };

/* Mirrored in repeats.py. */
typedef struct {
    int64_t at, half, excluded, window, contraction, template_first;
    double near, separation, shortest_side, large;
    double lowest, highest, least_energy, correlation;
    double quantile[2];
} limits;

/* Mirrored in repeats.py; the counts of both sides. */
typedef struct {
    int64_t repeats, repeats_near, large, large_near;
} counts;

EXPORT int64_t ts_local_size(void) { return (int64_t)sizeof(limits); }

/* Products of a waveform with the signal at BLOCK places one after the other. */
WIDE static void products(const double *restrict x, const double *restrict wave, int64_t m,
                          double *restrict out) {
    for (int64_t i = 0; i < BLOCK; i++) out[i] = x[i] * wave[0];
    for (int64_t j = 1; j < m; j++)
        for (int64_t i = 0; i < BLOCK; i++) out[i] += x[i + j] * wave[j];
}

/* Peak-to-peak amplitude of each whole window; returns their number. */
static int64_t window_amplitudes(const double *x, int64_t n, int64_t window, double *out) {
    int64_t whole = n / window;
    for (int64_t i = 0; i < whole; i++, x += window) {
        double low = x[0], high = x[0];
        for (int64_t k = 1; k < window; k++) {
            low = x[k] < low ? x[k] : low;
            high = x[k] > high ? x[k] : high;
        }
        out[i] = high - low;
    }
    return whole;
}

/* Set where a run of at least `shortest` large windows is. */
static void inside_contraction(const double *amplitudes, int64_t n, double large, int64_t shortest,
                               uint8_t *inside) {
    for (int64_t i = 0; i < n;) {
        int64_t stop = i;
        while (stop < n && amplitudes[stop] > large) stop++;
        memset(inside + i, stop - i >= shortest && stop > i, (size_t)(stop - i));
        if (stop < n) inside[stop] = 0;
        i = stop + 1;
    }
}

/* Places at which x repeats the waveform; returns their number. `total` has room for n + 1,
 * `height` for n + BLOCK, and x for BLOCK zeros after its end.
 */
static int64_t find_repeats(const double *x, int64_t n, const double *wave, int64_t m,
                            const limits *l, double *total, double *height, int64_t *places) {
    if (n < m) return 0;
    double power = 0.0;
    for (int64_t k = 0; k < m; k++) power += wave[k] * wave[k];
    if (power < 1e-12) power = 1e-12;
    total[0] = 0.0;
    for (int64_t k = 0; k < n; k++) total[k + 1] = total[k] + x[k] * x[k];
    double enough = l->least_energy * power;
    int64_t last = n - m, found = 0, known = 0; /* heights before `known` are there if needed */
    for (int64_t p = 0; p <= last; p++) {
        double own = total[p + m] - total[p];
        if (own < 1e-12) own = 1e-12;
        if (!(own > enough)) continue;
        if (known < p - 1) known = p - 1;
        while (known < least(p + 2, last + 1)) {
            products(x + known, wave, m, height + known);
            for (int64_t i = 0; i < BLOCK; i++) height[known + i] /= power;
            known += BLOCK;
        }
        double h = height[p];
        if (!(h > l->lowest && h < l->highest)) continue;
        if (p > 0 && !(h >= height[p - 1])) continue;
        if (p < last && !(h > height[p + 1])) continue;
        if (!(h * sqrt(power / own) > l->correlation)) continue;
        if (found == 0 || (double)(p - places[found - 1]) >= l->separation) places[found++] = p;
    }
    return found;
}

/* As numpy.quantile of the sorted values. */
static double quantile(const double *sorted, int64_t n, double share) {
    double at = share * (double)(n - 1);
    int64_t low = (int64_t)at;
    double a = sorted[low], b = sorted[least(low + 1, n - 1)], t = at - (double)low;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

static void sort(double *x, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        double value = x[i];
        int64_t k = i;
        for (; k > 0 && x[k - 1] > value; k--) x[k] = x[k - 1];
        x[k] = value;
    }
}

/* Coefficient of variation of the intervals between ascending times. */
static double interval_cv(const double *times, int64_t n) {
    if (n < 3) return NAN;
    double mean = 0.0, variance = 0.0;
    for (int64_t i = 1; i < n; i++) mean += times[i] - times[i - 1];
    mean /= (double)(n - 1);
    for (int64_t i = 1; i < n; i++) {
        double change = times[i] - times[i - 1] - mean;
        variance += change * change;
    }
    return sqrt(variance / (double)(n - 1)) / mean;
}

/* k bands of n samples. Of each: `found` counts, `values` (3: variation of the intervals, the two
 * quantiles of the calmer side), and `windows` (n / window) amplitudes of the whole band.
 * `scratch` has room for 6 * (n + BLOCK) values, `places` for n.
 */
EXPORT void ts_local_features(const double *bands, int64_t k, int64_t n, const limits *l,
                              counts *found, double *values, double *windows, double *scratch,
                              int64_t *places) {
    int64_t row = n + BLOCK;
    double *x = scratch, *total = x + row, *height = total + row, *amplitudes = height + row;
    double *wave = amplitudes + row, *times = wave + row;
    uint8_t *inside = (uint8_t *)(total); /* free once the repeats are found */
    int64_t m = least(n, l->at + l->half + 1) - l->template_first;
    for (int64_t b = 0; b < k; b++, bands += n, found++, values += 3) {
        const double *template = bands + l->template_first;
        double amplitude;
        window_amplitudes(template, m, m, &amplitude);
        if (amplitude < 1e-9) amplitude = 1e-9;
        memset(found, 0, sizeof(counts));
        int64_t sides = 0, n_times = 0;
        double quantiles[2] = {0.0, 0.0};
        for (int64_t side = 0; side < 2; side++) { /* before and after; both run away from it */
            int64_t length = side ? greatest(0, n - l->at - l->excluded)
                                  : greatest(0, least(n, l->at - l->excluded));
            for (int64_t i = 0; i < length; i++)
                x[i] = side ? bands[l->at + l->excluded + i] : bands[length - 1 - i];
            memset(x + length, 0, BLOCK * sizeof(double));
            for (int64_t i = 0; i < m; i++) wave[i] = template[side ? i : m - 1 - i];
            int64_t repeats = find_repeats(x, length, wave, m, l, total, height, places);
            if (!side) /* from the farthest to the burst itself */
                for (int64_t i = repeats; i-- > 0;)
                    times[n_times++] = -(double)(places[i] + l->half + l->excluded);
            if (!side) times[n_times++] = 0.0;
            else
                for (int64_t i = 0; i < repeats; i++)
                    times[n_times++] = (double)(places[i] + l->half + l->excluded);
            int64_t whole = window_amplitudes(x, length, l->window, amplitudes);
            for (int64_t i = 0; i < whole; i++) amplitudes[i] /= amplitude;
            inside_contraction(amplitudes, whole, l->large, l->contraction, inside);
            for (int64_t i = 0; i < repeats; i++) {
                int64_t where = (places[i] + l->half) / l->window;
                if (whole && where > whole - 1) where = whole - 1;
                if (whole && inside[where]) continue;
                found->repeats++;
                found->repeats_near += (double)(where * l->window) < l->near;
            }
            for (int64_t i = 0; i < whole; i++) {
                if (inside[i] || !(amplitudes[i] > l->large)) continue;
                found->large++;
                found->large_near += (double)(i * l->window) < l->near;
            }
            if ((double)length >= l->shortest_side) {
                sort(amplitudes, whole);
                double upper = quantile(amplitudes, whole, l->quantile[1]);
                if (!sides++ || upper < quantiles[1]) {
                    quantiles[0] = quantile(amplitudes, whole, l->quantile[0]);
                    quantiles[1] = upper;
                }
            }
        }
        values[0] = interval_cv(times, n_times);
        values[1] = quantiles[0];
        values[2] = quantiles[1];
        int64_t whole = window_amplitudes(bands, n, l->window, windows);
        for (int64_t i = 0; i < whole; i++, windows++) {
            double relative = *windows / amplitude;
            *windows = relative < 1.0 ? relative : 1.0;
        }
    }
}
