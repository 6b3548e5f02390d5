/* Sums over samples and search for peaks; the references are buffers.mean_squares and
 * PeakDetector._search.
 */
#include "kernels.h"

/* Mean square of each frame of `size` samples. */
EXPORT void ts_mean_squares(const double *restrict x, int64_t frames, int64_t size,
                            double *restrict out) {
    for (int64_t i = 0; i < frames; i++) {
        const double *frame = x + i * size;
        double sum = frame[0] * frame[0];
        for (int64_t k = 1; k < size; k++) sum += frame[k] * frame[k];
        out[i] = sum / (double)size;
    }
}

/* Places from `first` on where |x| exceeds the threshold (of the same place minus first) and no
 * value within `distance` exceeds it. Room for n - first places; returns their number.
 */
EXPORT int64_t ts_find_peaks(const double *x, int64_t n, int64_t first, const double *threshold,
                             int64_t distance, int64_t *places) {
    int64_t found = 0;
    for (int64_t i = first; i < n; i++) {
        double size = fabs(x[i]);
        if (!(size > threshold[i - first])) continue;
        int64_t k = greatest(0, i - distance), stop = least(n, i + distance + 1);
        while (k < stop && fabs(x[k]) <= size) k++;
        if (k == stop) places[found++] = i;
    }
    return found;
}
