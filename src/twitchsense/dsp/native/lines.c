/* Harmonics of the mains in spectra of blocks; the reference is mains._LineSpectrum. */
#include "kernels.h"

static double power(const double *z) { return z[0] * z[0] + z[1] * z[1]; }

static int are_inside(const int64_t *bins, int64_t n, int64_t n_bins) {
    for (int64_t k = 0; k < n; k++)
        if (bins[k] < 0 || bins[k] >= n_bins) return 0;
    return 1;
}

/* spectra: n_blocks rows of n_bins complex numbers. bins, factor: of each harmonic the bin and a
 * complex factor; beside: n_beside bins next to it. amplitude (complex), noise: n_blocks rows.
 * total: of each block the power in the bins from `first` to `stop`.
 * Returns -1 if a bin lies outside the spectrum.
 */
EXPORT int64_t ts_lines(const double *spectra, int64_t n_blocks, int64_t n_bins,
                        const int64_t *bins, const double *factor, int64_t n_harmonics,
                        const int64_t *beside, int64_t n_beside, double square_scale, double least,
                        int64_t first, int64_t stop, double *amplitude, double *noise,
                        double *total) {
    if (!are_inside(bins, n_harmonics, n_bins)) return -1;
    if (!are_inside(beside, n_harmonics * n_beside, n_bins)) return -1;
    if (first < 0 || stop <= first || stop > n_bins) return -1;
    for (int64_t i = 0; i < n_blocks; i++) {
        const double *row = spectra + 2 * n_bins * i;
        for (int64_t k = 0; k < n_harmonics; k++) {
            const double *z = row + 2 * bins[k], *f = factor + 2 * k;
            const int64_t *near = beside + n_beside * k;
            *amplitude++ = z[0] * f[0] - z[1] * f[1];
            *amplitude++ = z[0] * f[1] + z[1] * f[0];
            double sum = power(row + 2 * near[0]);
            for (int64_t j = 1; j < n_beside; j++) sum += power(row + 2 * near[j]);
            double value = sum / (double)n_beside * square_scale;
            *noise++ = value > least ? value : least;
        }
        total[i] = power(row + 2 * first);
        for (int64_t k = first + 1; k < stop; k++) total[i] += power(row + 2 * k);
    }
    return 0;
}
