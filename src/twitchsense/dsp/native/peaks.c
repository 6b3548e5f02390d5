/* Search for peaks; the reference is ecg_rhythm.find_peaks. */
#include "kernels.h"

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
